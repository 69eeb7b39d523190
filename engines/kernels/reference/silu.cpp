// SPDX-License-Identifier: Apache-2.0
// The sigmoid linear unit, and the gated product of a SwiGLU feed-forward layer.
#include <cmath>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {

double silu(double x) {
  return x / (1 + std::exp(-x));
}

void silu_mul(Rows y, ConstRows a, ConstRows b) {
  for (std::int64_t r = 0; r < y.rows; ++r)
    for (std::int64_t c = 0; c < y.cols; ++c)
      y.row(r)[c] = static_cast<float>(silu(a.row(r)[c]) * b.row(r)[c]);
}

}  // namespace engines::reference
