// SPDX-License-Identifier: Apache-2.0
// OCI image manifests and descriptors, version 1.1 of the image specification, and models written as such.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/store/digest.h"

namespace roundhouse::host {

inline constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr const char* kArtifactType = "application/vnd.roundhouse.model.v1";
inline constexpr const char* kModelConfigType = "application/vnd.roundhouse.model.config.v1+json";
inline constexpr const char* kTitleAnnotation = "org.opencontainers.image.title";
inline constexpr const char* kNameAnnotation = "org.opencontainers.image.ref.name";
inline constexpr const char* kCreatedAnnotation = "org.opencontainers.image.created";
inline constexpr std::size_t kMaximumManifestBytes = 4 << 20;

struct OciDescriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
};
// Throws MODEL_INVALID naming `where` for what is missing, of the wrong type or out of range.
OciDescriptor parse_descriptor(const nlohmann::json& json, const std::string& where);
nlohmann::ordered_json descriptor_json(const OciDescriptor& descriptor);

// One file of a model: its path in the model directory, relative, with '/', and safe.
struct ModelFile {
  std::string path, media_type;
  Digest digest;
  std::uint64_t size = 0;
};

struct ModelManifest {
  Digest digest;
  std::uint64_t size = 0;  // of the manifest itself
  OciDescriptor config;
  std::vector<ModelFile> files;  // by path
  std::uint64_t bytes = 0;       // of all files, each digest once

  const ModelFile* find(const std::string& path) const;
};

// A manifest whose config is a model's. Throws MODEL_INVALID for damage and for an image of something else,
// UNSAFE_NAME for a path that leads out of the directory, twice to one file, or through a file.
ModelManifest parse_model_manifest(const std::string& text);
std::string model_manifest_text(const OciDescriptor& config, const std::vector<ModelFile>& files,
                                const std::map<std::string, std::string>& annotations);

// Every descriptor in a manifest or index of any kind: config, layers, manifests, subject.
std::vector<OciDescriptor> references_of(const nlohmann::json& json, const std::string& where);

// The media type for a file of a model directory, from its name.
std::string media_type_of(const std::string& path);
bool is_weights(const std::string& media_type);

// Throws UNSAFE_NAME unless `path` is UTF-8, relative and made of plain components.
void require_safe_path(const std::string& path, const std::string& where);
bool is_safe_path(const std::string& path);

}  // namespace roundhouse::host
