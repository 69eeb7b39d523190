// SPDX-License-Identifier: Apache-2.0
// A part of one row of a few output planes of a convolution, summed in registers.
#pragma once

#include <cstdint>

namespace engines::cpu {

inline constexpr std::int64_t kOutputsAtOnce = 8;
// Rows of a band must be readable up to this many floats behind what they need: one vector.
inline constexpr std::int64_t kColsPadding = 16;

// Input pixels with the edges already in place; distances in floats.
struct Band {
  std::int64_t stride = 0;  // between rows
  std::int64_t plane = 0;   // between channels
  std::int64_t channels = 0;
  std::int64_t kernel = 0;
};

// y[o * y_plane + j] = weights[0][o] + sum_{c,a,b} weights[1 + (c * kernel + a) * kernel + b][o] *
// band[c * plane + a * stride + j + b] for o in 0..outputs-1 (at most kOutputsAtOnce) and j in 0..cols-1,
// or += that if `add`.  weights: [1 + channels * kernel * kernel][kOutputsAtOnce].
void convolve_row(float* y, std::int64_t y_plane, std::int64_t outputs, std::int64_t cols,
                  const float* pixels, const Band& band, const float* weights, bool add);

// y[2 * i] = even[i], y[2 * i + 1] = odd[i] for i in 0..count-1.
void interleave(float* y, const float* even, const float* odd, std::int64_t count);

}  // namespace engines::cpu
