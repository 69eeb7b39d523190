// SPDX-License-Identifier: Apache-2.0
// Matrix product with the weight's rows as stored.
#include "engines/kernels/reference/operations.h"

namespace engines::reference {

void linear(Rows y, ConstRows x, const WeightView& w, const float* bias) {
  std::vector<float> weights(static_cast<std::size_t>(x.cols));
  for (std::int64_t n = 0; n < y.cols; ++n) {
    for (std::int64_t k = 0; k < x.cols; ++k)
      weights[k] = load_as_float(w.data, w.dtype, static_cast<std::size_t>(n * x.cols + k));
    for (std::int64_t m = 0; m < y.rows; ++m) {
      const float* row = x.row(m);
      double sum = 0;
      for (std::int64_t k = 0; k < x.cols; ++k)
        sum += double{row[k]} * weights[k];
      y.row(m)[n] = static_cast<float>(bias ? sum + bias[n] : sum);
    }
  }
}

}  // namespace engines::reference
