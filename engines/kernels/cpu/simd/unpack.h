// SPDX-License-Identifier: Apache-2.0
// Weights in their stored type to the types that products compute with.
#pragma once

#include <cstdint>

#include "engines/tensor/tensor.h"

namespace engines::cpu {

// out[i] = w[first + i] for i in 0..count-1; exact. The weight may lie at any address; `first` and `count`
// may cut quantised blocks, which costs a little.
void unpack(float* out, const WeightView& w, std::int64_t first, std::int64_t count);

// The same rounded to bf16, to the nearest, to the even one of two equally near; a stored bf16 as it is.
void unpack_bf16(std::uint16_t* out, const WeightView& w, std::int64_t first, std::int64_t count);

}  // namespace engines::cpu
