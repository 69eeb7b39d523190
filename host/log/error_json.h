// SPDX-License-Identifier: Apache-2.0
// An error as JSON, the same wherever it is shown.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// {code, message, hint, exit_status}
nlohmann::ordered_json error_json(const Error& error);

}  // namespace roundhouse::host
