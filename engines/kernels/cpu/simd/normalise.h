// SPDX-License-Identifier: Apache-2.0
// The second half of each norm: values to normalised values, one row or a part of one plane at a time.
#pragma once

#include <cstdint>

namespace engines::cpu {

// y[i] = x[i] * factor * weight[i]; weight may be null (1), y may be x.
void scale_row(float* y, const float* x, float factor, const float* weight, std::int64_t count);
// y[i] += x[i] * factor * weight[i]; weight may be null (1).
void add_scaled_row(float* y, const float* x, float factor, const float* weight, std::int64_t count);
// y[i] = (x[i] - mean) * factor * weight[i] + shift[i]; weight may be null (1), shift too (0), y may be x.
void centre_row(float* y, const float* x, float mean, float factor, const float* weight, const float* shift,
                std::int64_t count);
// y[i] = (x[i] - mean) * factor + bias, and, if asked, y * sigmoid(y) of that; y may be x.
void centre_plane(float* y, const float* x, float mean, float factor, float bias, bool silu,
                  std::int64_t count);

}  // namespace engines::cpu
