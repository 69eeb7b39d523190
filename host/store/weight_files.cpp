// SPDX-License-Identifier: Apache-2.0
#include "host/store/weight_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "host/log/terminal_text.h"
#include "host/store/gguf_header.h"
#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaximumShardIndexBytes = 16 << 20;
constexpr std::size_t kLongestType = 20;
constexpr std::string_view kLfsPointer = "version https://git-lfs.github.com/spec/";
constexpr std::uintmax_t kLargestPointer = 1024;

std::vector<std::string> shards_of(const fs::path& directory, const std::string& folder,
                                   const std::string& index) {
  const auto root =
      parse_json_object(*read_small_file(directory / index, index, kMaximumShardIndexBytes), index);
  const auto map = root.find("weight_map");
  if (map == root.end() || !map->is_object())
    throw Error(RH_MODEL_INVALID, index + ": weight_map: expected an object");
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string())
      throw Error(RH_MODEL_INVALID, index + ": weight_map: '" + tensor + "': expected a file name");
    const auto name = shard.get<std::string>();
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with(".")) {
      throw Error(RH_UNSAFE_NAME,
                  index + ": weight_map: '" + tensor + "' names '" + name + "', expected a plain file name");
    }
    shards.insert(folder + name);
  }
  return {shards.begin(), shards.end()};
}

std::string dtype_of(const nlohmann::json& tensor, const std::string& where) {
  const auto dtype = tensor.is_object() ? tensor.find("dtype") : tensor.end();
  if (!tensor.is_object() || dtype == tensor.end() || !dtype->is_string()) {
    throw Error(RH_MODEL_INVALID, where + ": expected a dtype");
  }
  const std::string known = capability_dtype(dtype->get<std::string>());
  if (known.empty()) {
    throw Error(RH_MODEL_INVALID,
                where + ": dtype: '" + dtype->get<std::string>() + "' is not the name of a type");
  }
  return known;
}

// What the tensor's data takes; 0 where the header does not say it.
std::uint64_t bytes_of(const nlohmann::json& tensor) {
  const auto range = tensor.find("data_offsets");
  const auto is_offset = [](const nlohmann::json& value) { return value.is_number_unsigned(); };
  if (range == tensor.end() || !range->is_array() || range->size() != 2 ||
      !std::ranges::all_of(*range, is_offset))
    return 0;
  const auto begin = (*range)[0].get<std::uint64_t>(), end = (*range)[1].get<std::uint64_t>();
  return end > begin ? end - begin : 0;
}

using BytesOfTypes = std::map<std::string, std::uint64_t>;

// The types that more than a hundredth of a file is stored in. What lies beside the weights (markers,
// counters, notes in bytes) decides nothing; what the engine reads of it is for the engine to say.
void add_types(const BytesOfTypes& types, StoredTypes& stored) {
  std::uint64_t total = 0;
  for (const auto& [type, bytes] : types)
    total += bytes;
  for (const auto& [type, bytes] : types) {
    if (bytes > total / 100) stored.types.insert(type);
    stored.bytes[type] += bytes;
  }
}

// The first file of the folder that a test says yes to, in name order; empty without one.
std::string first_name(const fs::path& folder, const std::function<bool(const std::string&)>& wanted) {
  std::string first;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (wanted(name) && is_utf8(name) && (first.empty() || name < first)) first = name;
  }
  return first;
}

// What to call weights that are not where they are expected.
std::string missing_weights(const fs::path& directory, const std::string& folder) {
  for (const std::string stem : {"model", "diffusion_pytorch_model"}) {
    const std::string shard = first_name(directory / folder, [&](const std::string& name) {
      return name.starts_with(stem + "-") && name.find("-of-") != std::string::npos &&
             name.ends_with(".safetensors");
    });
    if (!shard.empty()) return folder + stem + ".safetensors.index.json (" + shard + " is there)";
  }
  const std::string other = first_name(directory / folder, [](const std::string& name) {
    return name.ends_with(".safetensors") || is_gguf(name);
  });
  if (other.empty()) return folder + "*.safetensors";
  return folder + "model.safetensors or diffusion_pytorch_model.safetensors (" + other + " is there)";
}

// A safetensors header; the engine checks the rest when it maps the file.
nlohmann::json safetensors_header(const fs::path& directory, const std::string& file) {
  std::ifstream stream(directory / file, std::ios::binary);
  if (!stream) throw Error(RH_IO_ERROR, file + ": cannot be read");
  std::array<unsigned char, 8> prefix{};
  stream.read(reinterpret_cast<char*>(prefix.data()), prefix.size());
  std::uint64_t length = 0;
  for (std::size_t i = prefix.size(); i-- > 0;)
    length = length << 8 | prefix[i];
  std::error_code error;
  const auto size = fs::file_size(directory / file, error);
  if (stream.gcount() != 8 || error || length > size - 8 || length > kMaximumHeaderBytes) {
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: not a safetensors file: header of {} bytes in a file of {}", file, length,
                            error ? 0 : size));
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  return parse_json_object(text, file);
}

void collect_safetensors(const fs::path& directory, const std::string& file, StoredTypes& stored) {
  const nlohmann::json header = safetensors_header(directory, file);
  BytesOfTypes types;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    types[dtype_of(tensor, file + ": tensor '" + name + "'")] += bytes_of(tensor);
  }
  add_types(types, stored);
}

}  // namespace

bool file_present(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored);
}

bool is_gguf(const std::string& path) {
  return path.ends_with(".gguf");
}

bool is_weights_path(const std::string& path) {
  return path.ends_with(".safetensors") || path.ends_with(".safetensors.index.json") || is_gguf(path);
}

std::string capability_dtype(const std::string& safetensors_dtype) {
  std::string name;
  for (const char c : safetensors_dtype) {
    if (c >= 'A' && c <= 'Z')
      name += static_cast<char>(c - 'A' + 'a');
    else if ((c >= '0' && c <= '9') || c == '_')
      name += c;
    else
      return "";
  }
  return name.size() > kLongestType ? "" : name;
}

void refuse_pointer(const fs::path& file, const std::string& shown) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error || size > kLargestPointer) return;
  std::ifstream stream(file, std::ios::binary);
  std::string begin(kLfsPointer.size(), '\0');
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (begin != kLfsPointer) return;
  throw Error(RH_WEIGHTS_MISSING, shown + ": is a pointer of Git LFS, not the file itself",
              "fetch the files with 'git lfs pull', or take the model with 'roundhouse pull'");
}

std::vector<std::string> weight_files(const fs::path& directory, const std::string& folder,
                                      std::vector<std::string>& missing) {
  for (const std::string stem : {"model", "diffusion_pytorch_model"}) {
    const auto single = folder + stem + ".safetensors", gguf = folder + stem + ".gguf";
    for (const auto& other : {single, single + ".index.json"}) {
      if (file_present(directory / gguf) && file_present(directory / other))
        throw Error(RH_MODEL_INVALID, "has both " + gguf + " and " + other + ", expected one of them");
    }
    if (file_present(directory / (single + ".index.json"))) {
      refuse_pointer(directory / (single + ".index.json"), single + ".index.json");
      auto shards = shards_of(directory, folder, single + ".index.json");
      for (const auto& shard : shards) {
        if (!file_present(directory / shard)) missing.push_back(shard);
        refuse_pointer(directory / shard, shard);
      }
      return shards;
    }
    for (const auto& file : {single, gguf}) {
      if (!file_present(directory / file)) continue;
      refuse_pointer(directory / file, file);
      return {file};
    }
  }
  missing.push_back(missing_weights(directory, folder));
  return {};
}

std::vector<std::string> tensor_names(const fs::path& directory, const std::string& file) {
  std::vector<std::string> names;
  if (is_gguf(file)) {
    for (const GgufTensor& tensor : read_gguf_header(directory / file, file).tensors)
      names.push_back(tensor.name);
    return names;
  }
  const nlohmann::json header = safetensors_header(directory, file);
  for (const auto& [name, tensor] : header.items()) {
    if (name != "__metadata__") names.push_back(name);
  }
  return names;
}

std::string StoredTypes::main() const {
  const auto most = std::ranges::max_element(bytes, {}, &std::pair<const std::string, std::uint64_t>::second);
  return most == bytes.end() ? "" : most->first;
}

void collect_types(const fs::path& directory, const std::string& file, StoredTypes& stored) {
  if (!is_gguf(file)) return collect_safetensors(directory, file, stored);
  BytesOfTypes types;
  for (const GgufTensor& tensor : read_gguf_header(directory / file, file).tensors)
    types[tensor.dtype] += tensor.end - tensor.begin;
  add_types(types, stored);
}

}  // namespace roundhouse::host
