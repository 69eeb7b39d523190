// SPDX-License-Identifier: Apache-2.0
#include "engines/convert/model_parts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "engines/weights/config.h"
#include "engines/weights/gguf.h"
#include "engines/weights/json_file.h"

namespace engines::conversion {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 16;  // links may lead in circles
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kLargestIndex = std::size_t{64} << 20;
constexpr std::array<const char*, 2> kStems = {"model", "diffusion_pytorch_model"};

using Sizes = std::map<std::string, std::uint64_t>;  // of files, by their path in the model

[[noreturn]] void fail(rh_status code, const std::string& path, const std::string& what) {
  throw Error(code, "file '" + path + "': " + what);
}

void walk(const fs::path& directory, const std::string& prefix, int depth, Sizes& files) {
  if (depth > kDeepest) fail(RH_IO_ERROR, prefix, "directories nested deeper than 16");
  std::error_code error;
  fs::directory_iterator it(directory, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(".")) continue;
    const std::string path = prefix + name;
    const fs::file_status status = fs::status(it->path(), error);
    if (error) fail(RH_IO_ERROR, path, error.message());
    if (fs::is_directory(status)) {
      walk(it->path(), path + "/", depth + 1, files);
      continue;
    }
    if (!fs::is_regular_file(status)) fail(RH_IO_ERROR, path, "is neither a file nor a directory");
    files[path] = fs::file_size(it->path(), error);
    if (error) fail(RH_IO_ERROR, path, error.message());
    if (files.size() > kMostFiles) fail(RH_MODEL_INVALID, path, "is one of more than 10000 files");
  }
  if (error) throw Error(RH_IO_ERROR, "directory '" + directory.string() + "': " + error.message());
}

using Classes = std::span<const WeightClass>;

// The class that a config.json gives, or nothing.
std::string class_of(const fs::path& file, const std::string& shown) {
  const Config config = Config::read(file, shown);
  const auto architectures = config.texts_or("architectures", {});
  return architectures.empty() ? config.text_or("_class_name", "") : architectures.front();
}

void classify(Component& component, const fs::path& directory, const Sizes& files, Classes classes) {
  const std::string config = component.folder + "config.json";
  component.configured = files.contains(config);
  std::function<bool(const WeightClass&)> is;
  if (component.configured) {
    is = [name = class_of(directory / config, config)](const WeightClass& known) {
      return name.starts_with(known.begins);
    };
  } else if (component.gguf) {
    const GgufFile file(directory / component.files.front());
    is = [name = file.metadata().text_or("general.architecture", "")](const WeightClass& known) {
      return !name.empty() && name == known.gguf_architecture;
    };
  }
  const auto found = is ? std::ranges::find_if(classes, is) : classes.end();
  if (found != classes.end()) component.weights = *found;
}

// The shards that an index names. WeightSet checks them when it opens the component.
std::vector<std::string> shards_of(const fs::path& directory, const std::string& folder,
                                   const std::string& index) {
  const nlohmann::json json = parse_json(read_file(directory / index, index, kLargestIndex), index);
  std::set<std::string> shards;
  if (json.is_object() && json.contains("weight_map") && json["weight_map"].is_object()) {
    for (const auto& [tensor, shard] : json["weight_map"].items()) {
      if (shard.is_string()) shards.insert(folder + shard.get<std::string>());
    }
  }
  return {shards.begin(), shards.end()};
}

std::optional<Component> component_in(const fs::path& directory, const std::string& folder,
                                      const Sizes& files, Classes classes) {
  for (const char* stem : kStems) {
    Component component;
    component.folder = folder;
    component.stem = stem;
    const std::string index = component.file(false) + ".index.json";
    if (files.contains(component.file(false))) {
      component.files = {component.file(false)};
    } else if (files.contains(index)) {
      component.files = shards_of(directory, folder, index);
    } else if (files.contains(component.file(true))) {
      component.files = {component.file(true)};
      component.gguf = true;
    } else {
      continue;
    }
    classify(component, directory, files, classes);
    return component;
  }
  return std::nullopt;
}

}  // namespace

ModelParts read_model_parts(const fs::path& directory, std::span<const WeightClass> classes) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored))
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + directory.string() + "': no such directory");
  Sizes files;
  walk(directory, "", 0, files);
  std::set<std::string> folders;
  for (const auto& [path, size] : files)
    folders.insert(path.substr(0, path.rfind('/') + 1));
  ModelParts parts;
  for (const std::string& folder : folders) {
    auto component = component_in(directory, folder, files, classes);
    if (!component) continue;
    for (const std::string& file : component->files)
      files.erase(file);
    files.erase(component->file(false) + ".index.json");
    parts.components.push_back(std::move(*component));
  }
  if (parts.components.empty())
    throw Error(RH_WEIGHTS_MISSING, "model directory '" + directory.string() +
                                        "': no weights, expected model.safetensors, model.gguf or "
                                        "diffusion_pytorch_model.safetensors in it or in a folder of it");
  for (const auto& [path, size] : files)
    parts.files.push_back({path, size});
  return parts;
}

}  // namespace engines::conversion
