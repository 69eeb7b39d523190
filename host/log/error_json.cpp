// SPDX-License-Identifier: Apache-2.0
// Errors as JSON.
#include "host/log/error_json.h"

#include <nlohmann/json.hpp>

namespace roundhouse::host {

nlohmann::ordered_json error_json(const Error& error) {
  nlohmann::ordered_json json;
  json["code"] = status_name(error.code());
  json["message"] = error.what();
  json["hint"] = error.hint();
  json["exit_status"] = exit_status(error.code());
  return json;
}

}  // namespace roundhouse::host
