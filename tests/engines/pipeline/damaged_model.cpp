// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/pipeline/damaged_model.h"

#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace engines::test {
namespace {

std::string read_all(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::uint64_t header_size(const std::string& bytes) {
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  return size;
}

// JSON text whose keys lose a prefix.
std::string without_prefix(std::string json, const std::string& prefix) {
  const std::string from = "\"" + prefix;
  for (auto at = json.find(from); at != std::string::npos; at = json.find(from, at + 1))
    json.erase(at + 1, prefix.size());
  return json;
}

}  // namespace

ModelCopy::ModelCopy(const std::filesystem::path& original) {
  std::string pattern = (std::filesystem::temp_directory_path() / "roundhouse-model-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory " + pattern);
  path_ = pattern;
  for (const auto& entry : std::filesystem::directory_iterator(original)) {
    if (entry.path().filename() != "expected")
      std::filesystem::copy(entry.path(), path_ / entry.path().filename(),
                            std::filesystem::copy_options::recursive);
  }
}

ModelCopy::~ModelCopy() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void ModelCopy::remove(const std::string& file) const {
  if (std::filesystem::remove_all(path_ / file) == 0) throw std::runtime_error("no file " + file);
}

void ModelCopy::replace(const std::string& component, const std::filesystem::path& with) const {
  remove(component);
  std::filesystem::copy(with, path_ / component, std::filesystem::copy_options::recursive);
}

void ModelCopy::truncate(const std::string& file, std::uintmax_t bytes_less) const {
  std::filesystem::resize_file(path_ / file, std::filesystem::file_size(path_ / file) - bytes_less);
}

void ModelCopy::set(const std::string& file, const std::string& field, const nlohmann::json& value) const {
  auto json = nlohmann::json::parse(read_all(path_ / file));
  if (value.is_null()) {
    json.erase(field);
  } else {
    json[field] = value;
  }
  write_all(path_ / file, json.dump());
}

void ModelCopy::overwrite(const std::string& file, const std::string& tensor,
                          const std::vector<std::uint8_t>& bytes) const {
  std::string content = read_all(path_ / file);
  const std::uint64_t size = header_size(content);
  const auto header = nlohmann::json::parse(content.substr(8, size));
  const auto offset = header.at(tensor).at("data_offsets").at(0).get<std::uint64_t>();
  std::memcpy(content.data() + 8 + size + offset, bytes.data(), bytes.size());
  write_all(path_ / file, content);
}

void ModelCopy::strip_prefix(const std::string& component, const std::string& prefix) const {
  for (const auto& entry : std::filesystem::directory_iterator(path_ / component)) {
    std::string content = read_all(entry.path());
    if (entry.path().extension() == ".safetensors") {
      const std::uint64_t size = header_size(content);
      const std::string header = without_prefix(content.substr(8, size), prefix);
      const std::uint64_t new_size = header.size();
      std::string begin(sizeof new_size, '\0');
      std::memcpy(begin.data(), &new_size, sizeof new_size);
      content = begin + header + content.substr(8 + size);
    } else if (entry.path().filename().string().ends_with(".index.json")) {
      content = without_prefix(content, prefix);
    }
    write_all(entry.path(), content);
  }
}

testing::AssertionResult throws_error(rh_status code, const std::string& part,
                                      const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    if (error.code() == code && std::string(error.what()).find(part) != std::string::npos)
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << "threw code " << error.code() << " '" << error.what()
                                       << "', expected code " << code << " with '" << part << "'";
  }
  return testing::AssertionFailure() << "threw nothing, expected code " << code << " with '" << part << "'";
}

}  // namespace engines::test
