// SPDX-License-Identifier: Apache-2.0
#include "host/store/oci_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "host/log/terminal_text.h"
#include "host/store/small_file.h"
#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr std::size_t kMaximumLayers = 10'000;
constexpr std::size_t kMaximumPathBytes = 1024, kMaximumComponentBytes = 255;
constexpr std::uint64_t kMaximumBlobBytes = std::uint64_t{1} << 50;

[[noreturn]] void refuse_manifest(const std::string& where, const std::string& what) {
  throw Error(RH_MODEL_INVALID, where + ": " + what);
}

std::string required_text(const json& object, const char* key, const std::string& where) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_string()) refuse_manifest(where + "." + key, "expected text");
  return value->get<std::string>();
}

std::map<std::string, std::string> annotations_of(const json& object, const std::string& where) {
  std::map<std::string, std::string> annotations;
  const auto value = object.find("annotations");
  if (value == object.end() || value->is_null()) return annotations;
  if (!value->is_object()) refuse_manifest(where + ".annotations", "expected an object");
  for (const auto& [key, text] : value->items()) {
    if (!text.is_string()) refuse_manifest(where + ".annotations", "'" + key + "': expected text");
    annotations[key] = text.get<std::string>();
  }
  return annotations;
}

ModelFile model_file(const OciDescriptor& layer, const std::string& where) {
  const auto title = layer.annotations.find(kTitleAnnotation);
  if (title == layer.annotations.end())
    refuse_manifest(where, std::string("has no annotation ") + kTitleAnnotation + " with the file's path");
  require_safe_path(title->second, where);
  return {title->second, layer.media_type, layer.digest, layer.size};
}

// No path twice, and none that needs another's file to be a directory. `files` is sorted by path.
void refuse_conflicts(const std::vector<ModelFile>& files) {
  std::set<std::string> directories;
  for (const ModelFile& file : files) {
    for (auto slash = file.path.find('/'); slash != std::string::npos; slash = file.path.find('/', slash + 1))
      directories.insert(file.path.substr(0, slash));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i > 0 && files[i].path == files[i - 1].path)
      throw Error(RH_UNSAFE_NAME, "manifest: two layers are the file '" + files[i].path + "'");
    if (directories.contains(files[i].path))
      throw Error(RH_UNSAFE_NAME, "manifest: '" + files[i].path + "' is a file and a directory");
  }
}

}  // namespace

namespace {

// What is wrong with a path; empty: nothing.
std::string path_fault(const std::string& path) {
  if (path.empty() || path.size() > kMaximumPathBytes) return "is empty or too long";
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return "contains an odd character";
  }
  if (!is_utf8(path)) return "is not UTF-8";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string component = path.substr(begin, end - begin);
    if (component.empty()) return "is absolute or has an empty component";
    if (component == "." || component == "..") return "contains '" + component + "'";
    if (component.size() > kMaximumComponentBytes) return "has a component of more than 255 bytes";
    begin = end + 1;
  }
  return "";
}

}  // namespace

bool is_safe_path(const std::string& path) {
  return path_fault(path).empty();
}

void require_safe_path(const std::string& path, const std::string& where) {
  const std::string fault = path_fault(path);
  if (fault.empty()) return;
  const bool odd = !is_utf8(path);
  std::string shown;
  for (const char c : path.substr(0, 200))
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (odd && c < 0) ? '?' : c;
  throw Error(RH_UNSAFE_NAME, where + ": path '" + shown + "' " + fault);
}

OciDescriptor parse_descriptor(const json& json, const std::string& where) {
  if (!json.is_object()) refuse_manifest(where, "expected a descriptor");
  const std::string text = required_text(json, "digest", where);
  const auto digest = Digest::parse(text);
  if (!digest) refuse_manifest(where + ".digest", "expected sha256: and 64 lower-case hexadecimal digits");
  const auto size = json.find("size");
  if (size == json.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() > kMaximumBlobBytes)
    refuse_manifest(where + ".size", "expected a number of bytes from 0 to 2^50");
  return {required_text(json, "mediaType", where), *digest, size->get<std::uint64_t>(),
          annotations_of(json, where)};
}

nlohmann::ordered_json descriptor_json(const OciDescriptor& descriptor) {
  nlohmann::ordered_json json;
  json["mediaType"] = descriptor.media_type;
  json["digest"] = descriptor.digest.text();
  json["size"] = descriptor.size;
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  return json;
}

const ModelFile* ModelManifest::find(const std::string& path) const {
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.path == path; });
  return found == files.end() ? nullptr : &*found;
}

ModelManifest parse_model_manifest(const std::string& text) {
  const json root = parse_json_object(text, "manifest");
  const auto schema = root.find("schemaVersion");
  if (schema == root.end() || !schema->is_number_integer() || schema->get<std::int64_t>() != 2)
    refuse_manifest("manifest.schemaVersion", "expected 2");
  if (root.contains("mediaType") && required_text(root, "mediaType", "manifest") != kManifestType)
    refuse_manifest("manifest.mediaType", std::string("expected ") + kManifestType);
  if (!root.contains("config")) refuse_manifest("manifest.config", "is missing");
  OciDescriptor config = parse_descriptor(root.at("config"), "manifest.config");
  if (config.media_type != kModelConfigType)
    refuse_manifest("manifest.config.mediaType", "this is not a model but '" + config.media_type + "'");
  const auto layers = root.find("layers");
  if (layers == root.end() || !layers->is_array() || layers->empty() || layers->size() > kMaximumLayers)
    refuse_manifest("manifest.layers", fmt::format("expected 1 to {} descriptors", kMaximumLayers));
  ModelManifest manifest{sha256(text), text.size(), std::move(config), {}, 0};
  std::map<Digest, std::uint64_t> sizes;
  for (std::size_t i = 0; i < layers->size(); ++i) {
    const std::string where = fmt::format("manifest.layers[{}]", i);
    manifest.files.push_back(model_file(parse_descriptor((*layers)[i], where), where));
    const auto& [digest, size] =
        *sizes.emplace(manifest.files.back().digest, manifest.files.back().size).first;
    if (size != manifest.files.back().size)
      refuse_manifest(where + ".size", "contradicts that of " + digest.text());
  }
  for (const auto& [digest, size] : sizes)
    manifest.bytes += size;
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  refuse_conflicts(manifest.files);
  return manifest;
}

std::string model_manifest_text(const OciDescriptor& config, const std::vector<ModelFile>& files,
                                const std::map<std::string, std::string>& annotations) {
  nlohmann::ordered_json root;
  root["schemaVersion"] = 2;
  root["mediaType"] = kManifestType;
  root["artifactType"] = kArtifactType;
  root["config"] = descriptor_json(config);
  root["layers"] = nlohmann::ordered_json::array();
  for (const ModelFile& file : files)
    root["layers"].push_back(
        descriptor_json({file.media_type, file.digest, file.size, {{kTitleAnnotation, file.path}}}));
  if (!annotations.empty()) root["annotations"] = annotations;
  return json_text(root);
}

std::vector<OciDescriptor> references_of(const json& json, const std::string& where) {
  std::vector<OciDescriptor> references;
  for (const char* key : {"config", "subject"}) {
    if (const auto value = json.find(key); value != json.end())
      references.push_back(parse_descriptor(*value, where + "." + key));
  }
  for (const char* key : {"layers", "manifests"}) {
    const auto list = json.find(key);
    if (list == json.end()) continue;
    if (!list->is_array()) refuse_manifest(where + "." + key, "expected an array");
    for (const auto& value : *list)
      references.push_back(parse_descriptor(value, where + "." + key));
  }
  return references;
}

std::string media_type_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::string folder = path.substr(0, path.find('/'));
  const std::string prefix = "application/vnd.roundhouse.model.";
  if (name.ends_with(".safetensors")) return prefix + "weights.v1.safetensors";
  if (name.ends_with(".gguf")) return prefix + "weights.v1.gguf";
  if (name.starts_with("chat_template") || name.ends_with(".jinja")) return prefix + "template.v1";
  if (folder.find("tokenizer") != std::string::npos || name.starts_with("tokenizer") ||
      name == "vocab.json" || name == "merges.txt")
    return prefix + "tokenizer.v1";
  if (name.starts_with("LICENSE") || name.starts_with("NOTICE")) return prefix + "license.v1";
  if (name.ends_with(".json")) return prefix + "configuration.v1+json";
  return prefix + "file.v1";
}

bool is_weights(const std::string& media_type) {
  return media_type.starts_with("application/vnd.roundhouse.model.weights.");
}

}  // namespace roundhouse::host
