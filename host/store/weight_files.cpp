// SPDX-License-Identifier: Apache-2.0
#include "host/store/weight_files.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/store/gguf_header.h"
#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaximumShardIndexBytes = 16 << 20;

const std::map<std::string, std::string> kDtypes = {
    {"BOOL", "bool"},       {"U8", "u8"},   {"I8", "i8"},     {"U16", "u16"}, {"I16", "i16"},
    {"U32", "u32"},         {"I32", "i32"}, {"U64", "u64"},   {"I64", "i64"}, {"F8_E4M3", "f8_e4m3"},
    {"F8_E5M2", "f8_e5m2"}, {"F16", "f16"}, {"BF16", "bf16"}, {"F32", "f32"}, {"F64", "f64"}};

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
                where + ": dtype: '" + dtype->get<std::string>() + "' is not one of the safetensors format");
  }
  return known;
}

// The types in a safetensors header; the engine checks the rest when it maps the file.
void collect_safetensors(const fs::path& directory, const std::string& file, std::set<std::string>& dtypes) {
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
    throw Error(RH_MODEL_INVALID, file + ": not a safetensors file: header of " + std::to_string(length) +
                                      " bytes in a file of " + std::to_string(error ? 0 : size));
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  const auto header = parse_json_object(text, file);
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    dtypes.insert(dtype_of(tensor, file + ": tensor '" + name + "'"));
  }
}

}  // namespace

bool file_present(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored);
}

bool is_gguf(const std::string& path) {
  return path.ends_with(".gguf");
}

std::string capability_dtype(const std::string& safetensors_dtype) {
  const auto known = kDtypes.find(safetensors_dtype);
  return known == kDtypes.end() ? "" : known->second;
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
      auto shards = shards_of(directory, folder, single + ".index.json");
      for (const auto& shard : shards) {
        if (!file_present(directory / shard)) missing.push_back(shard);
      }
      return shards;
    }
    for (const auto& file : {single, gguf}) {
      if (file_present(directory / file)) return {file};
    }
  }
  missing.push_back(folder + "*.safetensors");
  return {};
}

void collect_dtypes(const fs::path& directory, const std::string& file, std::set<std::string>& dtypes) {
  if (!is_gguf(file)) return collect_safetensors(directory, file, dtypes);
  for (const GgufTensor& tensor : read_gguf_header(directory / file, file).tensors)
    dtypes.insert(tensor.dtype);
}

}  // namespace roundhouse::host
