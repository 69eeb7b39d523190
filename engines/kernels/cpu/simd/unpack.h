// SPDX-License-Identifier: Apache-2.0
// Weights in their stored type to floats.
#pragma once

#include <cstdint>

#include "engines/tensor/tensor.h"

namespace engines::cpu {

// out[i] = w[first + i] for i in 0..count-1; exact. The weight may lie at any address.
void unpack(float* out, const WeightView& w, std::int64_t first, std::int64_t count);

}  // namespace engines::cpu
