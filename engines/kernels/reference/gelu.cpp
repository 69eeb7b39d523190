// SPDX-License-Identifier: Apache-2.0
// The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact and by its tanh approximation.
#include <cmath>
#include <numbers>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {
namespace {

double gelu_tanh(double x) {
  const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return x / 2 * (1 + std::tanh(inner));
}

}  // namespace

void gelu_tanh_mul(Rows y, ConstRows a, ConstRows b) {
  for (std::int64_t r = 0; r < y.rows; ++r)
    for (std::int64_t c = 0; c < y.cols; ++c)
      y.row(r)[c] = static_cast<float>(gelu_tanh(a.row(r)[c]) * b.row(r)[c]);
}

void gelu(Rows y, ConstRows x) {
  for (std::int64_t r = 0; r < y.rows; ++r) {
    for (std::int64_t c = 0; c < y.cols; ++c) {
      const double value = x.row(r)[c];
      y.row(r)[c] = static_cast<float>(value / 2 * (1 + std::erf(value / std::numbers::sqrt2)));
    }
  }
}

}  // namespace engines::reference
