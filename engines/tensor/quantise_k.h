// SPDX-License-Identifier: Apache-2.0
// Rounding to super-blocks: a search for the scales that leave the least squared error.
#pragma once

#include <cstdint>

#include "engines/tensor/dtype.h"

namespace engines {

// As `quantise` (quantise.h) does for q4_K and q6_K.
std::int64_t quantise_super_blocks(std::byte* out, Dtype to, const std::byte* data, Dtype from,
                                   std::int64_t count);

}  // namespace engines
