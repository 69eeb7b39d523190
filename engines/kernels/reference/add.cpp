// SPDX-License-Identifier: Apache-2.0
// The residual sum, and the one with a gate.
#include "engines/kernels/reference/operations.h"

namespace engines::reference {

void add(Rows y, ConstRows x) {
  for (std::int64_t r = 0; r < y.rows; ++r)
    for (std::int64_t c = 0; c < y.cols; ++c)
      y.row(r)[c] += x.row(r)[c];
}

void add_scaled(Rows y, ConstRows x, const float* scale) {
  for (std::int64_t r = 0; r < y.rows; ++r)
    for (std::int64_t c = 0; c < y.cols; ++c)
      y.row(r)[c] = static_cast<float>(y.row(r)[c] + double{x.row(r)[c]} * scale[c]);
}

}  // namespace engines::reference
