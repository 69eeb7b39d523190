// SPDX-License-Identifier: Apache-2.0
// Recipes that name the commits which a pull has found.
#pragma once

#include "host/app/app_context.h"
#include "host/store/pin_spec.h"

namespace roundhouse::host {

struct PinReport {
  std::string name;
  std::filesystem::path file;  // the user's recipe, as it is now
  Commits sources;
};

// Writes the commits that the stored model of that name was pulled from into the user's recipe of that name:
// a copy of the one that comes along, the user's own in its place, or a new one for a repository without a
// recipe. A pull of the name fetches these commits from then on. Throws MODEL_NOT_FOUND, INVALID_ARGUMENT for
// a model that no recipe can describe (of a directory, of one file), MODEL_INVALID for a recipe that cannot
// be edited, IO_ERROR.
PinReport pin_model(const AppContext& context, const std::string& name);

}  // namespace roundhouse::host
