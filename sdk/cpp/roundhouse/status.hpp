// SPDX-License-Identifier: Apache-2.0
// The error taxonomy of roundhouse/status.h as a table that C++ can search: names, statuses, hints, samples.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "roundhouse/status.h"

namespace roundhouse {

// One line of RH_STATUS_CATALOGUE. The strings live as long as the program.
struct StatusInfo {
  rh_status code;
  std::string_view name;  // "MODEL_NOT_FOUND"
  int http_status;
  int exit_status;
  std::string_view mover;   // whose move it is: caller, operator, engine author, roundhouse, nobody
  std::string_view hint;    // one sentence: what to do about it
  std::string_view sample;  // a message as it reads in practice
};

// Every failure, in the order of its value. RH_OK is not in it.
inline constexpr auto status_catalogue = std::to_array<StatusInfo>({
#define RH_STATUS_ROW(name, value, http, exit, mover, hint, sample) \
  {value, #name, http, exit, mover, hint, sample},
    RH_STATUS_CATALOGUE(RH_STATUS_ROW)
#undef RH_STATUS_ROW
});

inline constexpr StatusInfo status_ok{RH_OK, "OK", 200, 0, "nobody", "", ""};

// Whether the code is RH_OK or in the catalogue.
constexpr bool is_known(rh_status code) {
  for (const StatusInfo& info : status_catalogue) {
    if (info.code == code) return true;
  }
  return code == RH_OK;
}

// The line of a code. An unknown one counts as ENGINE_INTERNAL: only a faulty plugin can have made it.
constexpr const StatusInfo& status_info(rh_status code) {
  if (code == RH_OK) return status_ok;
  std::size_t found = 0;
  for (std::size_t i = 0; i < status_catalogue.size(); ++i) {
    if (status_catalogue[i].code == code) return status_catalogue[i];
    if (status_catalogue[i].code == RH_ENGINE_INTERNAL) found = i;
  }
  return status_catalogue[found];
}

constexpr std::string_view status_name(rh_status code) {
  return status_info(code).name;
}
constexpr int http_status(rh_status code) {
  return status_info(code).http_status;
}
constexpr int exit_status(rh_status code) {
  return status_info(code).exit_status;
}
constexpr std::string_view mover(rh_status code) {
  return status_info(code).mover;
}
constexpr std::string_view hint(rh_status code) {
  return status_info(code).hint;
}
constexpr std::string_view sample(rh_status code) {
  return status_info(code).sample;
}

// The code with that name ("OK" included), or nothing.
constexpr std::optional<rh_status> from_name(std::string_view name) {
  if (name == status_ok.name) return RH_OK;
  for (const StatusInfo& info : status_catalogue) {
    if (info.name == name) return info.code;
  }
  return std::nullopt;
}

}  // namespace roundhouse
