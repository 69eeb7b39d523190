// SPDX-License-Identifier: Apache-2.0
// Models from elsewhere into the store.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "host/app/import.h"
#include "host/sources/registry_credentials.h"

namespace roundhouse::host {

struct PullRequest {
  std::string source;             // as SourceKind describes them
  std::optional<ModelName> name;  // none: the source's own
  HubFlags hub;                   // its allow_http counts for registries too
  // Who asks a registry; empty: what the environment and docker's file say.
  std::function<CredentialSearch(const RegistryReference&)> login;
  unsigned parallel = 4;      // files at once
  std::string variant;        // which precision of a hub's weights: "fp16"; empty: the plain files
  AssemblyParts parts;        // of a source that is one file, or one component of a hub
  ProgressCallback progress;  // may throw CANCELLED
};

enum class SourceKind {
  hub,       // hf:org/name[:FILE][@revision]
  registry,  // oci://registry[:port]/repository[:tag][@digest]
  recipe,    // a name or an alias of a recipe that says where its files come from
  web,       // http(s)://...: one file, as import takes it
  local,     // file:///path, or a path as import takes it
};
// By how the source is written, and by the recipes that there are; a recipe comes before a path of its name.
std::optional<SourceKind> source_kind(const AppContext& context, const std::string& source);

// The recipe of a name or alias, where it says from where the files come.
std::optional<ModelSpec> find_recipe(const AppContext& context, const std::string& name);

// Fetches what the store lacks; what has arrived stays when it ends early. Throws INVALID_ARGUMENT for a
// source of no kind, and what pull_from_hub, pull_model and import_model throw.
ImportReport pull(const AppContext& context, const PullRequest& request);

// Fetches the model of a recipe when it is absent. Does nothing when it is here, and when no recipe with a
// source has that name: who uses the model says what is wrong.
void pull_if_absent(const AppContext& context, const std::string& model, const ProgressCallback& progress);

}  // namespace roundhouse::host
