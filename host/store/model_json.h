// SPDX-License-Identifier: Apache-2.0
// A model as `models --json` and the daemon show it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host/store/model_catalogue.h"

namespace roundhouse::host {

nlohmann::ordered_json model_entry_json(const ModelCatalogue::Entry& entry);

}  // namespace roundhouse::host
