// SPDX-License-Identifier: Apache-2.0
// What can be refused of a request before anything is computed.
#pragma once

#include <cstdint>

#include "engines/pipeline/pipeline.h"

namespace engines {

// Throws INVALID_DIMENSION or INVALID_ARGUMENT naming the member; sizes are multiples of `size_multiple`
// pixels.
void check_request(const ImageRequest& request, std::int64_t size_multiple);

}  // namespace engines
