// SPDX-License-Identifier: Apache-2.0
// Models and their damages as commands with --json and the daemon show them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host/store/model_catalogue.h"
#include "host/store/store.h"

namespace roundhouse::host {

// Without where it lies: that is for the machine's own users.
nlohmann::ordered_json model_entry_json(const ModelCatalogue::Entry& entry);
nlohmann::ordered_json damage_json(const Damage& damage);

}  // namespace roundhouse::host
