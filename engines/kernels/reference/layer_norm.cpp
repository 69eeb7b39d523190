// SPDX-License-Identifier: Apache-2.0
// Layer norm (Ba et al. 2016).
#include <cmath>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {

void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) {
  const double count = static_cast<double>(x.cols);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    double sum = 0;
    for (const float value : x.row_span(r))
      sum += value;
    const double mean = sum / count;
    double squares = 0;
    for (const float value : x.row_span(r))
      squares += (value - mean) * (value - mean);
    const double factor = 1 / std::sqrt(squares / count + eps);
    for (std::int64_t c = 0; c < x.cols; ++c)
      y.row(r)[c] =
          static_cast<float>((x.row(r)[c] - mean) * factor * (scale ? scale[c] : 1) + (shift ? shift[c] : 0));
  }
}

}  // namespace engines::reference
