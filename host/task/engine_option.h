// SPDX-License-Identifier: Apache-2.0
// A named, typed value for an engine.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace roundhouse::host {

// As rh_option carries it.
struct EngineOption {
  std::string name;
  std::variant<std::string, std::int64_t, double, bool> value;
};

}  // namespace roundhouse::host
