// SPDX-License-Identifier: Apache-2.0
// JSON as text. No function throws: what is not UTF-8 is replaced.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace roundhouse::host {

// On one line, as answers and records carry it.
template <typename Json>
std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// On one line in ASCII alone, for messages and for formats that take nothing else.
template <typename Json>
std::string json_ascii(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// On many lines, for people and files that people read.
template <typename Json>
std::string json_lines(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace roundhouse::host
