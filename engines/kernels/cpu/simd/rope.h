// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding of one head of one row, in place.
#pragma once

#include <cstdint>

namespace engines::cpu {

// (x[2p], x[2p + 1]) turned by the angle p, for p in 0..pairs-1.
void rotate_interleaved(float* x, const float* cos, const float* sin, std::int64_t pairs);
// (x[p], x[p + pairs]) turned by the angle p, for p in 0..pairs-1.
void rotate_half(float* x, const float* cos, const float* sin, std::int64_t pairs);

}  // namespace engines::cpu
