// SPDX-License-Identifier: Apache-2.0
// How far a block may be from what it was made of: computed from the format, whatever the quantiser's search.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "engines/tensor/dtype.h"

namespace engines::test {

// What one sub-block asks of its scale and minimum when its levels just span its elements.
struct PlainLevels {
  double step = 0, minimum = 0;
};

inline PlainLevels plain_levels(Dtype type, const float* x, std::size_t count) {
  const auto [low, high] = std::minmax_element(x, x + count);
  const double peak = std::max(std::abs(double{*low}), std::abs(double{*high}));
  switch (type) {
    case Dtype::q4_K: {
      const double minimum = std::max(0.0, -double{*low});
      return {(std::max<double>(*high, -minimum) + minimum) / 15, minimum};
    }
    case Dtype::q6_K:
      return {peak / 31, 0};
    case Dtype::q4_0:
      return {peak / 8, 0};
    default:
      return {peak / 127, 0};
  }
}

// The largest sum of squared errors of a block's elements x. Plain rounding leaves every element within half
// a step of a level, and q4_0 those beyond its 7th within a whole one. In a super-block a step is rounded to
// integers of 6 bits (q4_K) or 8 (q6_K) of the block's greatest, a minimum likewise, which moves the levels;
// and all scales are rounded to f16: by 2^-11 of themselves, 2^-25 at least. A search may give one element
// more than that only when the squares together become less.
inline double squared_error_bound(Dtype type, const float* x) {
  const auto length = static_cast<std::size_t>(block_length(type));
  const std::size_t sub = type == Dtype::q6_K ? 16 : 32;
  const double levels = type == Dtype::q8_0 ? 127 : type == Dtype::q6_K ? 31 : type == Dtype::q4_K ? 15 : 8;
  const double steps = type == Dtype::q4_K ? 63 : 127;  // of a super-block's integer scales
  std::vector<PlainLevels> subs;
  PlainLevels greatest;
  for (std::size_t first = 0; first < length; first += sub) {
    subs.push_back(plain_levels(type, x + first, sub));
    greatest.step = std::max(greatest.step, subs.back().step);
    greatest.minimum = std::max(greatest.minimum, subs.back().minimum);
  }
  const bool super = length > 32;
  double bound = 0;
  for (const PlainLevels& plain : subs) {
    double worst = plain.step * (type == Dtype::q4_0 ? 1 : 0.5);
    if (super) worst += levels * greatest.step / steps / 2 + greatest.minimum / steps / 2;
    const double f16 = super ? steps * 0x1p-25 : 0x1p-25;  // where scales are subnormal
    worst += levels * std::max(0x1p-11 * plain.step, f16) + std::max(0x1p-11 * greatest.minimum, f16);
    bound += static_cast<double>(sub) * worst * worst;
  }
  return bound;
}

inline double squared_error(Dtype type, const std::byte* block, const float* x) {
  double error = 0;
  for (std::size_t j = 0; j < static_cast<std::size_t>(block_length(type)); ++j) {
    const double difference = double{load_as_float(block, type, j)} - x[j];
    error += difference * difference;
  }
  return error;
}

}  // namespace engines::test
