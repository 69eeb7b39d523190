// SPDX-License-Identifier: Apache-2.0
// One row of the elementwise operations.
#pragma once

#include <cstdint>

namespace engines::cpu {

// y[i] = a[i] * sigmoid(a[i]) * b[i]; y may be a or b.
void silu_mul_row(float* y, const float* a, const float* b, std::int64_t count);
// y[i] = gelu(a[i]) * b[i] by the tanh approximation; y may be a or b.
void gelu_tanh_mul_row(float* y, const float* a, const float* b, std::int64_t count);
// y[i] += x[i]
void add_row(float* y, const float* x, std::int64_t count);
// y[2i] = y[2i + 1] = x[i] for i in 0..count-1
void double_row(float* y, const float* x, std::int64_t count);

}  // namespace engines::cpu
