// SPDX-License-Identifier: Apache-2.0
// JSON on one line, as answers carry it. Text that is no UTF-8 is mended.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace roundhouse::host {

template <typename Json>
std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace roundhouse::host
