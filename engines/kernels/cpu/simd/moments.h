// SPDX-License-Identifier: Apache-2.0
// Mean and variance of many floats: short chunks in float, the chunks merged in double, so that the error
// does not grow with the number of values.
#pragma once

#include <cstdint>

namespace engines::cpu {

struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;  // the sum of (x - mean)^2

  double variance() const { return squares / count; }
  // Adds the values that `other` describes (Chan, Golub and LeVeque 1979).
  void merge(const Moments& other);
};

Moments moments_of(const float* values, std::int64_t count);

double sum_of_squares(const float* values, std::int64_t count);

}  // namespace engines::cpu
