// SPDX-License-Identifier: Apache-2.0
// Errors as the pixel-art server's clients know them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// The name that those clients know for a code (VALIDATION_ERROR, CANCELED, INCOMPATIBLE_LORA,
// MODEL_LOAD_ERROR); the taxonomy's own where they know none.
std::string pixel_art_code(rh_status code);

// {"success": false, "error": sentence, "code": pixel_art_code, "error_code": the taxonomy's, "hint"}
nlohmann::ordered_json native_failure(const Error& error);

}  // namespace roundhouse::host
