// SPDX-License-Identifier: Apache-2.0
// Two-dimensional convolution (cross-correlation, as the field means it), one row of one output plane at a
// time.
#include <algorithm>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {
namespace {

// sums[j] += weight * x[j * stride + shift], x being 0 outside of 0..width-1.
void accumulate(std::vector<double>& sums, double weight, const float* x, std::int64_t width,
                std::int64_t stride, std::int64_t shift) {
  for (std::size_t j = 0; j < sums.size(); ++j) {
    const std::int64_t from = static_cast<std::int64_t>(j) * stride + shift;
    if (from >= 0 && from < width) sums[j] += weight * x[from];
  }
}

}  // namespace

void conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias, const ConvShape& shape) {
  const std::int64_t size = shape.kernel;
  const std::vector<float> weights = to_floats(w);
  std::vector<double> sums(static_cast<std::size_t>(y.width));
  for (std::int64_t o = 0; o < y.channels; ++o) {
    for (std::int64_t i = 0; i < y.height; ++i) {
      std::fill(sums.begin(), sums.end(), bias ? bias[o] : 0.0);
      for (std::int64_t c = 0; c < x.channels; ++c) {
        for (std::int64_t a = 0; a < size; ++a) {
          const std::int64_t from = i * shape.stride + a - shape.pad_before;
          if (from < 0 || from >= x.height) continue;
          for (std::int64_t b = 0; b < size; ++b)
            accumulate(sums, weights[((o * x.channels + c) * size + a) * size + b],
                       x.plane(c) + from * x.width, x.width, shape.stride, b - shape.pad_before);
        }
      }
      for (std::int64_t j = 0; j < y.width; ++j)
        y.plane(o)[i * y.width + j] = static_cast<float>(sums[j]);
    }
  }
}

}  // namespace engines::reference
