// SPDX-License-Identifier: Apache-2.0
// What one side tells the other at once: a text that says what it is, and bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace roundhouse::host {

struct Message {
  std::string json;
  std::vector<std::uint8_t> payload = {};
};

}  // namespace roundhouse::host
