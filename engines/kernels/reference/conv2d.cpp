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

float normed(float value, const ChannelNorm& norm) {
  return static_cast<float>(silu((double{value} - norm.mean) * norm.factor + norm.bias));
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

void conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                 const ConvRows& how) {
  const std::int64_t pad = w.dim(2) / 2;
  const std::int64_t width = y.width + 2 * pad;
  const std::int64_t height = y.height + 2 * pad;
  std::vector<float> values(static_cast<std::size_t>(x.planes.channels * height * width));
  const Planes padded(values.data(), x.planes.channels, height, width);
  for (std::int64_t c = 0; c < padded.channels; ++c) {
    for (std::int64_t i = 0; i < height; ++i) {
      const std::int64_t row = first + i - pad;
      if (row < 0 || row >= x.height) continue;
      for (std::int64_t j = 0; j < y.width; ++j) {
        const float value = x.planes.row(c, row - x.first)[j];
        padded.row(c, i)[pad + j] = how.norm ? normed(value, how.norm[c]) : value;
      }
    }
  }
  std::vector<float> results(static_cast<std::size_t>(y.size()));
  const Planes convolved(results.data(), y.channels, y.height, y.width);
  conv2d(convolved, padded, w, bias, {.kernel = w.dim(2), .stride = 1, .pad_before = 0, .pad_after = 0});
  for (std::int64_t o = 0; o < y.channels; ++o)
    for (std::int64_t p = 0; p < y.plane_size(); ++p)
      y.plane(o)[p] = how.add ? y.plane(o)[p] + convolved.plane(o)[p] : convolved.plane(o)[p];
}

}  // namespace engines::reference
