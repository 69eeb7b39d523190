// SPDX-License-Identifier: Apache-2.0
// The product of a few rows with a weight in its stored type, limited by how fast the weight can be read.
#pragma once

#include "engines/tensor/tensor.h"

namespace engines::cpu {

// y[m, n] = sum_k x[m, k] * w[first + n, k] + bias[n]; bias may be null. Single thread.
void skinny_product(Rows y, ConstRows x, const WeightView& w, std::int64_t first, const float* bias);

}  // namespace engines::cpu
