// SPDX-License-Identifier: Apache-2.0
// Seeds of requests that name none.
#pragma once

#include <cstdint>

namespace roundhouse::host {

// Short enough to be typed again, and exact in every JSON reader.  [any-thread]
std::uint64_t random_seed();

}  // namespace roundhouse::host
