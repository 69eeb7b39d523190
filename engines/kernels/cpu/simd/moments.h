// SPDX-License-Identifier: Apache-2.0
// Mean and variance of many floats: short chunks in float, the chunks merged in double, so that the error
// does not grow with the number of values.
#pragma once

#include <cstdint>

#include "engines/kernels/moments.h"

namespace engines::cpu {

Moments moments_of(const float* values, std::int64_t count);

double sum_of_squares(const float* values, std::int64_t count);

}  // namespace engines::cpu
