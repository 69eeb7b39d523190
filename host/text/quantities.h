// SPDX-License-Identifier: Apache-2.0
// Quantities as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace roundhouse::host {

std::string human_bytes(std::uint64_t bytes);         // "412 MiB"
std::string human_milliseconds(double milliseconds);  // "85 ms", "1.24 s", "3 min 20 s"
std::string fixed(double value, int decimals);        // fixed(2.5, 2) is "2.50"

}  // namespace roundhouse::host
