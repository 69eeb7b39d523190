// SPDX-License-Identifier: Apache-2.0
// Codes of clients.
#include "host/server/native/failure.h"

namespace roundhouse::host {

std::string pixel_art_code(rh_status code) {
  switch (code) {
    case RH_INVALID_ARGUMENT:
    case RH_INVALID_DIMENSION:
    case RH_UNSAFE_NAME:
    case RH_UNKNOWN_OPTION:
      return "VALIDATION_ERROR";
    case RH_LORA_INVALID:
      return "INCOMPATIBLE_LORA";
    case RH_WEIGHTS_MISSING:
    case RH_MODEL_INVALID:
    case RH_INTEGRITY_MISMATCH:
      return "MODEL_LOAD_ERROR";
    case RH_CANCELLED:
      return "CANCELED";
    case RH_INTERNAL:
      return "UNKNOWN_ERROR";
    default:
      return std::string(status_name(code));
  }
}

nlohmann::ordered_json native_failure(const Error& error) {
  return {{"success", false},
          {"error", error.what()},
          {"code", pixel_art_code(error.code())},
          {"error_code", status_name(error.code())},
          {"hint", error.hint()}};
}

}  // namespace roundhouse::host
