// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding (Su et al. 2021) in its two layouts.
#include "engines/kernels/reference/operations.h"

namespace engines::reference {
namespace {

void rotate(float& a, float& b, double cos, double sin) {
  const double old_a = a;
  const double old_b = b;
  a = static_cast<float>(old_a * cos - old_b * sin);
  b = static_cast<float>(old_a * sin + old_b * cos);
}

}  // namespace

void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t head = 0; head < x.cols / head_dim; ++head) {
      float* values = x.row(r) + head * head_dim;
      for (std::int64_t p = 0; p < head_dim / 2; ++p)
        rotate(values[2 * p], values[2 * p + 1], cos.row(r)[p], sin.row(r)[p]);
    }
  }
}

void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t head = 0; head < x.cols / head_dim; ++head) {
      float* values = x.row(r) + head * head_dim;
      for (std::int64_t p = 0; p < head_dim / 2; ++p)
        rotate(values[p], values[p + head_dim / 2], cos.row(r)[p], sin.row(r)[p]);
    }
  }
}

}  // namespace engines::reference
