// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/direct_conv2d.h"

#include "engines/kernels/cpu/bands.h"

namespace engines::cpu {
namespace {

// y = rows `first` and following of the convolution of stride 1 with `pad` zeros above and left of the map.
void convolve(Context& context, Planes y, std::int64_t first, const Strip& x, const float* weights,
              const float* bias, std::int64_t kernel, std::int64_t pad, const ConvRows& how) {
  const std::int64_t terms = x.planes.channels * kernel * kernel;
  float* arranged = context.arranged_scratch.floats(arranged_floats(y.channels, terms));
  arrange_weights(context, arranged, y.channels, terms, bias,
                  [&](std::int64_t output, std::int64_t term) { return weights[output * terms + term]; });
  const Blocks groups = output_groups(y.channels);
  const Bands bands(y.height, y.width, x.planes.channels, kernel);

  context.reserve(bands.floats());
  context.pool.parallel_for(bands.tiles(), [&](std::int64_t tile, int thread) {
    const std::int64_t row = bands.rows.first(tile / bands.cols.count());
    const std::int64_t rows = bands.rows.length(tile / bands.cols.count());
    const std::int64_t col = bands.cols.first(tile % bands.cols.count());
    const std::int64_t cols = bands.cols.length(tile % bands.cols.count());
    float* pixels = context.thread_scratch[thread].floats(bands.floats());
    fill_band(pixels, bands.band, x, how.norm, first + row - pad, rows + kernel - 1, col - pad);
    for (std::int64_t group = 0; group < groups.count(); ++group)
      for (std::int64_t i = row; i < row + rows; ++i)
        convolve_row(y.row(groups.first(group), i) + col, y.stride, groups.length(group), cols,
                     pixels + (i - row) * bands.band.stride, bands.band,
                     arranged + group * (1 + terms) * kOutputsAtOnce, how.add);
  });
}

}  // namespace

bool suits_direct_conv2d(const ConvShape& shape) {
  return shape.kernel > 1 && shape.stride == 1;
}

void direct_conv2d(Context& context, Planes y, ConstPlanes x, const float* weights, const float* bias,
                   const ConvShape& shape) {
  convolve(context, y, 0, Strip(x), weights, bias, shape.kernel, shape.pad_before, {});
}

void conv2d_rows(Context& context, Planes y, std::int64_t first, const Strip& x, const WeightView& w,
                 const float* bias, const ConvRows& how) {
  if (y.size() == 0) return;
  convolve(context, y, first, x, float_weights(context, w), bias, w.dim(2), w.dim(2) / 2, how);
}

}  // namespace engines::cpu
