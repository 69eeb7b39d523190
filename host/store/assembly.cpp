// SPDX-License-Identifier: Apache-2.0
#include "host/store/assembly.h"

#include <nlohmann/json.hpp>
#include <set>

#include "host/store/file.h"
#include "host/store/gguf_header.h"
#include "host/store/model_files.h"
#include "host/store/small_file.h"
#include "host/store/weight_files.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

std::string shown_file(const fs::path& file) {
  return "file '" + file.string() + "'";
}

// Of a component's configuration; empty where it names none.
std::string class_of(const fs::path& config, const std::string& shown) {
  constexpr std::size_t kMaximumConfigBytes = 1 << 20;
  const auto text = read_small_file(config, shown, kMaximumConfigBytes);
  if (!text) return "";
  const auto root = parse_json_object(*text, shown);
  const auto name = root.find("_class_name");
  if (name != root.end() && name->is_string()) return name->get<std::string>();
  const auto names = root.find("architectures");
  const bool listed =
      names != root.end() && names->is_array() && !names->empty() && names->front().is_string();
  return listed ? names->front().get<std::string>() : "";
}

// A transformer in the place of a text encoder, or the other way round, would be found by the engine alone.
void require_fitting(const std::string& component, const fs::path& file) {
  const GgufHeader header = read_gguf_header(file, shown_file(file));
  const bool image = is_image_transformer(header);
  if (component == "transformer" ? image : !image) return;
  throw Error(RH_MODEL_INVALID, shown_file(file) + ": holds " +
                                    (image ? "an image model's transformer"
                                           : "a model of architecture '" + header.architecture() + "'") +
                                    ", expected the weights of component '" + component + "'");
}

}  // namespace

WeightFormat weight_format_of(const fs::path& file) {
  const File opened = open_for_reading(file, shown_file(file), true);
  std::string first;
  read_pieces(opened, shown_file(file), [&](std::string_view piece) {
    first = piece.substr(0, 9);
    return false;
  });
  if (first.starts_with("GGUF")) return WeightFormat::gguf;
  return first.size() == 9 && first.back() == '{' ? WeightFormat::safetensors : WeightFormat::neither;
}

std::vector<std::string> components_inside(const fs::path& checkpoint) {
  const std::pair<const char*, const char*> prefixes[] = {
      {"vae.", "vae"}, {"first_stage_model.", "vae"}, {"text_encoders.", "text_encoder"}};
  std::set<std::string> components;
  for (const std::string& name : tensor_names(checkpoint.parent_path(), checkpoint.filename().string())) {
    for (const auto& [prefix, component] : prefixes) {
      if (name.starts_with(prefix)) components.insert(component);
    }
  }
  return {components.begin(), components.end()};
}

void Assembly::add_model(const fs::path& directory, Links links) {
  for (const SourceFile& source : list_model_files(directory, links).files)
    add_file(source.path, source.file);
}

void Assembly::add_file(const std::string& path, const fs::path& file) {
  files_[path] = fs::absolute(file);
}

void Assembly::set_component(const std::string& component, const fs::path& file) {
  refuse_pointer(file, shown_file(file));
  const WeightFormat kind = weight_format_of(file);
  if (kind == WeightFormat::neither)
    throw Error(RH_MODEL_INVALID, shown_file(file) + ": is neither a GGUF nor a safetensors file");
  std::string names, stem;
  std::set<std::string> old;
  for (const auto& [path, source] : files_) {
    const std::string folder = path.substr(0, path.find('/') + 1);
    if (!is_weights_path(path) || folder.empty()) continue;
    if (("," + names + ",").find(", " + folder) == std::string::npos) names += ", " + folder;
    if (folder != component + "/") continue;
    old.insert(path);
    stem = path.find("diffusion_pytorch_model") != std::string::npos ? "diffusion_pytorch_model" : "model";
  }
  if (old.empty())
    throw Error(RH_INVALID_ARGUMENT, "component '" + component +
                                         "' has no weights in the model, expected one of: " +
                                         (names.empty() ? "none" : names.substr(2)));
  if (kind == WeightFormat::gguf) require_fitting(component, file);
  for (const auto& path : old)
    files_.erase(path);
  add_file(component + "/" + stem + (kind == WeightFormat::gguf ? ".gguf" : ".safetensors"), file);
}

void Assembly::set_folder(const fs::path& directory, Links links) {
  const std::string shown = "directory '" + directory.string() + "'";
  const std::string wanted = class_of(directory / "config.json", shown + ": config.json");
  std::string component, known;
  for (const auto& [path, file] : files_) {
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos || path.substr(slash) != "/config.json") continue;
    const std::string folder = path.substr(0, slash), name = class_of(file, path);
    known += (known.empty() ? "" : ", ") + name + " (" + folder + ")";
    if (name == wanted) component = folder;
  }
  if (wanted.empty() || component.empty())
    throw Error(RH_MODEL_INVALID, shown + ": config.json: _class_name: '" + wanted +
                                      "' is not the class of a component, expected one of: " + known);
  std::erase_if(files_, [&](const auto& entry) { return entry.first.starts_with(component + "/"); });
  for (const SourceFile& source : list_model_files(directory, links).files)
    add_file(component + "/" + source.path, source.file);
}

fs::path Assembly::directory() {
  const fs::path made = session_.fresh_path();
  for (const auto& [path, file] : files_) {
    make_directories((made / path).parent_path());
    std::error_code error;
    fs::create_symlink(file, made / path, error);
    if (error) throw_system("file '" + path + "'", error.value());
  }
  return made;
}

}  // namespace roundhouse::host
