// SPDX-License-Identifier: Apache-2.0
// Hugging Face model directories: which files must be there, and what their headers say.
#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "host/store/model_catalogue.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using Missing = std::vector<std::string>;

constexpr std::size_t kMaximumConfigBytes = 16 << 20;
constexpr std::uint64_t kMaximumHeaderBytes = 100'000'000;  // the limit of the safetensors format

// What a component folder holds, by the kind of class that model_index.json gives it.
enum class Kind { scheduler, tokenizer, network };

// The components of an image pipeline, expected even where model_index.json is silent.
const std::map<std::string, Kind> kImageComponents = {{"scheduler", Kind::scheduler},
                                                      {"text_encoder", Kind::network},
                                                      {"tokenizer", Kind::tokenizer},
                                                      {"transformer", Kind::network},
                                                      {"vae", Kind::network}};

Kind kind_of(const std::string& class_name) {
  if (class_name.find("Tokenizer") != std::string::npos) return Kind::tokenizer;
  if (class_name.find("Scheduler") != std::string::npos) return Kind::scheduler;
  return Kind::network;
}

std::map<std::string, Kind> components_of(const nlohmann::json& index) {
  auto components = kImageComponents;
  for (const auto& [name, value] : index.items()) {
    if (!value.is_array() || value.size() != 2 || !value[1].is_string()) continue;
    if (name.find('/') != std::string::npos || name.starts_with(".")) {
      throw Error(RH_UNSAFE_NAME, "model_index.json: component '" + name + "' is not a plain name");
    }
    components[name] = kind_of(value[1].get<std::string>());
  }
  return components;
}

bool present(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored);
}

void require(const fs::path& directory, const std::string& file, Missing& missing) {
  if (!present(directory / file)) missing.push_back(file);
}

// The weight files of a network's folder, relative to the model; absent ones go to `missing`.
std::vector<std::string> weight_files(const fs::path& directory, const std::string& component,
                                      Missing& missing) {
  for (const std::string stem : {"model", "diffusion_pytorch_model"}) {
    const auto single = component + "/" + stem + ".safetensors";
    const auto index = single + ".index.json";
    if (present(directory / index)) {
      const auto json =
          parse_json_object(*read_small_file(directory / index, index, kMaximumConfigBytes), index);
      const auto map = json.find("weight_map");
      if (map == json.end() || !map->is_object())
        throw Error(RH_MODEL_INVALID, index + ": weight_map: expected an object");
      std::set<std::string> shards;
      for (const auto& [tensor, shard] : map->items()) {
        if (!shard.is_string())
          throw Error(RH_MODEL_INVALID, index + ": weight_map: '" + tensor + "': expected a file name");
        const auto name = shard.get<std::string>();
        if (name.empty() || name.find('/') != std::string::npos || name.starts_with(".")) {
          throw Error(RH_UNSAFE_NAME, index + ": weight_map: '" + tensor + "' names '" + name +
                                          "', expected a plain file name");
        }
        shards.insert(component + "/" + name);
      }
      for (const auto& shard : shards)
        require(directory, shard, missing);
      return {shards.begin(), shards.end()};
    }
    if (present(directory / single)) return {single};
  }
  missing.push_back(component + "/*.safetensors");
  return {};
}

void require_tokenizer(const fs::path& directory, const std::string& component, Missing& missing) {
  require(directory, component + "/tokenizer_config.json", missing);
  if (present(directory / component / "tokenizer.json")) return;
  const bool vocabulary = present(directory / component / "vocab.json");
  const bool merges = present(directory / component / "merges.txt");
  if (!vocabulary && !merges) {
    missing.push_back(component + "/tokenizer.json (or vocab.json and merges.txt)");
  } else if (!vocabulary || !merges) {
    missing.push_back(component + (vocabulary ? "/merges.txt" : "/vocab.json"));
  }
}

// The types of the safetensors format, by their names in capability lists. Which of them can be run is for
// the engines to say.
const std::map<std::string, std::string> kDtypes = {
    {"BOOL", "bool"},       {"U8", "u8"},   {"I8", "i8"},     {"U16", "u16"}, {"I16", "i16"},
    {"U32", "u32"},         {"I32", "i32"}, {"U64", "u64"},   {"I64", "i64"}, {"F8_E4M3", "f8_e4m3"},
    {"F8_E5M2", "f8_e5m2"}, {"F16", "f16"}, {"BF16", "bf16"}, {"F32", "f32"}, {"F64", "f64"}};

std::string dtype_of(const nlohmann::json& tensor, const std::string& where) {
  const auto dtype = tensor.is_object() ? tensor.find("dtype") : tensor.end();
  if (!tensor.is_object() || dtype == tensor.end() || !dtype->is_string()) {
    throw Error(RH_MODEL_INVALID, where + ": expected a dtype");
  }
  const auto known = kDtypes.find(dtype->get<std::string>());
  if (known == kDtypes.end()) {
    throw Error(RH_MODEL_INVALID,
                where + ": dtype: '" + dtype->get<std::string>() + "' is not one of the safetensors format");
  }
  return known->second;
}

// The types of the tensors in a safetensors header; the engine checks the rest when it maps the file.
void collect_dtypes(const fs::path& directory, const std::string& file, std::set<std::string>& dtypes) {
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

std::string joined(const Missing& items) {
  std::string text;
  for (const auto& item : items)
    text += (text.empty() ? "" : ", ") + item;
  return text;
}

}  // namespace

ModelDirectory inspect_model_directory(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + directory.string() + "': no such directory");
  }
  Missing missing;
  nlohmann::json index = nlohmann::json::object();
  if (const auto text =
          read_small_file(directory / "model_index.json", "model_index.json", kMaximumConfigBytes)) {
    index = parse_json_object(*text, "model_index.json");
  } else {
    missing.emplace_back("model_index.json");
  }
  std::vector<std::string> weights;
  for (const auto& [component, kind] : components_of(index)) {
    if (kind == Kind::tokenizer) {
      require_tokenizer(directory, component, missing);
    } else if (kind == Kind::scheduler) {
      require(directory, component + "/scheduler_config.json", missing);
    } else {
      require(directory, component + "/config.json", missing);
      const auto files = weight_files(directory, component, missing);
      weights.insert(weights.end(), files.begin(), files.end());
    }
  }
  if (!missing.empty()) {
    throw Error(RH_WEIGHTS_MISSING,
                "model directory '" + directory.string() + "': missing " + joined(missing));
  }
  const auto class_name = index.find("_class_name");
  if (class_name == index.end() || !class_name->is_string()) {
    throw Error(RH_MODEL_INVALID, "model_index.json: _class_name: expected the name of a pipeline");
  }
  std::set<std::string> dtypes;
  for (const auto& file : weights)
    collect_dtypes(directory, file, dtypes);
  return {
      fs::absolute(directory), class_name->get<std::string>(), "safetensors", {dtypes.begin(), dtypes.end()}};
}

}  // namespace roundhouse::host
