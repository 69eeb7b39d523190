// SPDX-License-Identifier: Apache-2.0
// Models of a Hugging Face hub into the store.
#pragma once

#include <optional>
#include <string>

#include "host/app/app_context.h"

namespace roundhouse::host {

// Takes "hf:org/name[@revision]" into the store as pull_from_hub does, with the recipe that is known for the
// repository. Without a name, the recipe's or the repository's. Of `options.http`, who calls and what cancels
// are the context's.
ImportReport take_hub_model(const AppContext& context, const std::string& source,
                            const std::optional<ModelName>& name, HubOptions options, ImportOptions import);

// Takes the model of a recipe: the files that it wants of its repositories. Without a name, the recipe's.
// Throws also INVALID_ARGUMENT for a name with a version where a revision is not pinned.
ImportReport take_recipe(const AppContext& context, const ModelSpec& spec,
                         const std::optional<ModelName>& name, HubOptions options, ImportOptions import);

}  // namespace roundhouse::host
