// SPDX-License-Identifier: Apache-2.0
// Root mean square norm (Zhang and Sennrich 2019), alone and as the end of a residual branch.
#include <cmath>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {
namespace {

// 1 / sqrt(mean(x^2) + eps)
double inverse_rms(const float* x, std::int64_t count, float eps) {
  double sum = 0;
  for (std::int64_t c = 0; c < count; ++c)
    sum += double{x[c]} * x[c];
  return 1 / std::sqrt(sum / static_cast<double>(count) + eps);
}

}  // namespace

void rms_norm(Rows y, ConstRows x, const float* weight, float eps) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const double factor = inverse_rms(x.row(r), x.cols, eps);
    for (std::int64_t c = 0; c < x.cols; ++c)
      y.row(r)[c] = static_cast<float>(x.row(r)[c] * factor * (weight ? weight[c] : 1));
  }
}

void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const double factor = inverse_rms(x.row(r), x.cols, eps);
    for (std::int64_t c = 0; c < x.cols; ++c)
      y.row(r)[c] = static_cast<float>(y.row(r)[c] + x.row(r)[c] * factor * (weight ? weight[c] : 1));
  }
}

}  // namespace engines::reference
