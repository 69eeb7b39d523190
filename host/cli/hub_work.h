// SPDX-License-Identifier: Apache-2.0
// Models of a Hugging Face hub, for the commands that take one in.
#pragma once

#include <optional>
#include <string>

#include "host/cli/program.h"
#include "host/sources/hub_options.h"

namespace roundhouse::host {

// Takes "hf:org/name[@revision]" into the store as pull_from_hub does, with the recipe that is known for the
// repository. Without a name, the recipe's or the repository's.
ImportReport take_hub_model(const Program& program, const std::string& source,
                            const std::optional<ModelName>& name, HubOptions options, ImportOptions import);

// Takes the model of a recipe: the files that it wants of its repositories. Without a name, the recipe's.
// Throws also INVALID_ARGUMENT for a name with a version where a revision is not pinned.
ImportReport take_recipe(const Program& program, const ModelSpec& spec, const std::optional<ModelName>& name,
                         HubOptions options, ImportOptions import);

}  // namespace roundhouse::host
