// SPDX-License-Identifier: Apache-2.0
// A model of the store from a ModelSpec.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "host/app/convert.h"

namespace roundhouse::host {

struct SpecRequest {
  std::filesystem::path file;     // a ModelSpec; paths in it are relative to its place
  std::optional<ModelName> name;  // none: name and version of the ModelSpec
  LinkMode link_mode = LinkMode::automatic;
  ProgressOf progress;  // may throw CANCELLED
};

// Fetches what is at a hub, takes in what is here, and converts where the ModelSpec asks for it; `engines` is
// called only then. Throws what reading a ModelSpec, take_recipe and store_converted throw.
ImportReport create_from_spec(const AppContext& context, const SpecRequest& request,
                              const std::function<ConvertEngines()>& engines);

}  // namespace roundhouse::host
