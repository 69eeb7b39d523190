// SPDX-License-Identifier: Apache-2.0
// What products in bf16 make of an operand.
#pragma once

#include <algorithm>
#include <cmath>

namespace engines::test {

// To nearest, ties to even, by arithmetic on the value and not on its bits.
inline float nearest_bf16(float value) {
  if (!std::isfinite(value) || value == 0) return value;
  int exponent = 0;
  const double significand = std::frexp(static_cast<double>(value), &exponent);  // in [1/2, 1)
  const int bits = std::min(8, exponent + 133);                                  // fewer for subnormals
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(significand, bits)), exponent - bits);
  return std::abs(rounded) >= 0x1p128 ? std::copysign(INFINITY, value) : static_cast<float>(rounded);
}

}  // namespace engines::test
