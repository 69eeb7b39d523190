// SPDX-License-Identifier: Apache-2.0
// Models of a Hugging Face hub into the store.
#pragma once

#include <optional>
#include <string>

#include "host/app/import.h"

namespace roundhouse::host {

// What a pull from a hub is about, beside the source.
struct HubRequest {
  std::optional<ModelName> name;  // none: the recipe's or the repository's
  HubOptions options;             // who calls and what cancels are the context's
  std::string variant;            // of all parts
  AssemblyParts parts;
  ProgressCallback progress;
  LinkMode link_mode = LinkMode::automatic;  // of files in the hub's cache
};

// Takes "hf:org/name[:FILE][@revision]" into the store as pull_from_hub does, with the recipe that is known
// for the repository. What is one file, or one component with `parts.base`, is completed as import_model does
// it.
ImportReport take_hub_model(const AppContext& context, const std::string& source, HubRequest request);

// Takes the model of a recipe: the files that it wants of its repositories.
// Throws also INVALID_ARGUMENT for a name with a version where a revision is not pinned.
ImportReport take_recipe(const AppContext& context, const ModelSpec& spec, HubRequest request);

}  // namespace roundhouse::host
