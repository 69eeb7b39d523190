// SPDX-License-Identifier: Apache-2.0
// The store's models, as clients may know of them.
#pragma once

#include <string>
#include <vector>

#include "host/server/services.h"
#include "host/store/model_name.h"

namespace roundhouse::host {

// By name; those that allowed_models leaves out are not among them.
std::vector<std::string> visible_stored(const Services& services);

// Throws MODEL_NOT_FOUND unless the store has that model and clients may use it, without naming others that
// they may not; for one that lies in a directory the hint says how it is taken in. Throws what a damaged
// store throws.
void require_stored(const Services& services, const ModelName& name);

// Throws INVALID_ARGUMENT for a name that allowed_models leaves out: nobody could use what it is given to.
void require_allowed(const Services& services, const ModelName& name);

}  // namespace roundhouse::host
