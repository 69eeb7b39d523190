// SPDX-License-Identifier: Apache-2.0
// A copy of the tiny model's vae folder that a test changes before it is opened.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace engines::testing {

inline std::filesystem::path tiny_vae() {
  return std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny/vae";
}

class VaeFolder {
 public:
  struct Tensor {
    std::string dtype;
    std::vector<std::int64_t> shape;
    std::vector<char> bytes;
  };

  VaeFolder() {
    static int count = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("vae_test_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(folder_);
    std::ifstream config_file(tiny_vae() / "config.json");
    config = nlohmann::json::parse(config_file);
    load(tiny_vae() / "diffusion_pytorch_model.safetensors");
  }
  ~VaeFolder() { std::filesystem::remove_all(folder_); }
  VaeFolder(const VaeFolder&) = delete;
  VaeFolder& operator=(const VaeFolder&) = delete;

  nlohmann::json config;
  std::map<std::string, Tensor> tensors;

  void rename(const std::string& from, const std::string& to) {
    auto node = tensors.extract(from);
    if (node.empty()) throw std::runtime_error("there is no tensor " + from);
    node.key() = to;
    tensors.insert(std::move(node));
  }
  // Replaces `part` in every name.
  void rename_all(const std::string& part, const std::string& by) {
    std::map<std::string, Tensor> renamed;
    for (auto& [name, tensor] : tensors) {
      std::string to = name;
      if (const auto at = to.find(part); at != std::string::npos) to.replace(at, part.size(), by);
      renamed.emplace(to, std::move(tensor));
    }
    tensors = std::move(renamed);
  }
  void zero(const std::string& name) {
    auto& bytes = tensors.at(name).bytes;
    std::fill(bytes.begin(), bytes.end(), 0);
  }
  // A float32 tensor of the numbers that `value` gives for each index.
  void put(const std::string& name, const std::vector<std::int64_t>& shape,
           const std::function<float(std::int64_t)>& value) {
    std::int64_t size = 1;
    for (const auto side : shape)
      size *= side;
    Tensor tensor{"F32", shape, std::vector<char>(static_cast<std::size_t>(size) * 4)};
    for (std::int64_t i = 0; i < size; ++i) {
      const float number = value(i);
      std::memcpy(tensor.bytes.data() + 4 * i, &number, 4);
    }
    tensors[name] = std::move(tensor);
  }

  // Writes the folder as it is now.
  const std::filesystem::path& write() const {
    std::ofstream(folder_ / "config.json") << config.dump();
    nlohmann::json header = nlohmann::json::object();
    std::size_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
      header[name] = {{"dtype", tensor.dtype},
                      {"shape", tensor.shape},
                      {"data_offsets", {offset, offset + tensor.bytes.size()}}};
      offset += tensor.bytes.size();
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::ofstream out(folder_ / "diffusion_pytorch_model.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&length), 8);
    out << text;
    for (const auto& [name, tensor] : tensors)
      out.write(tensor.bytes.data(), static_cast<std::streamsize>(tensor.bytes.size()));
    return folder_;
  }

 private:
  void load(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::uint64_t length = 0;
    in.read(reinterpret_cast<char*>(&length), 8);
    std::string text(length, ' ');
    in.read(text.data(), static_cast<std::streamsize>(length));
    const auto header = nlohmann::json::parse(text);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      const auto begin = entry["data_offsets"][0].get<std::size_t>();
      const auto end = entry["data_offsets"][1].get<std::size_t>();
      Tensor tensor{entry["dtype"], entry["shape"], std::vector<char>(end - begin)};
      in.seekg(static_cast<std::streamoff>(8 + length + begin));
      in.read(tensor.bytes.data(), static_cast<std::streamsize>(end - begin));
      tensors.emplace(name, std::move(tensor));
    }
  }

  std::filesystem::path folder_;
};

}  // namespace engines::testing
