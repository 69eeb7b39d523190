// SPDX-License-Identifier: Apache-2.0
// What the system says of this process's memory.
#pragma once

#include <cstdint>

namespace engines {

// Bytes resident now, mapped files included; 0 where the system does not tell.
std::uint64_t resident_bytes();

}  // namespace engines
