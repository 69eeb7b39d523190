// SPDX-License-Identifier: Apache-2.0
// Which model, and where it is. Only who opens it turns that into a directory (host/store/model_location.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace roundhouse::host {

struct LocalDirectory {
  std::filesystem::path path;  // absolute
};
struct StoreEntry {
  std::filesystem::path store;  // its root
  std::string digest;           // of the manifest: "sha256:..."
};
// What a remote engine calls it.
struct RemoteEngineModel {
  std::string name;
};

struct ModelReference {
  std::string name;          // as people say it: "pocket-turbo"
  std::string architecture;  // "ZImagePipeline"
  std::variant<LocalDirectory, StoreEntry, RemoteEngineModel> place;
};

// Equal texts are the same files, whatever they are called.
std::string identity_of(const ModelReference& model);

// Empty for none.
std::string name_of(const std::optional<ModelReference>& model);
std::string architecture_of(const std::optional<ModelReference>& model);

}  // namespace roundhouse::host
