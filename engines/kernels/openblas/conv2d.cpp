// SPDX-License-Identifier: Apache-2.0
// Convolution: directly where that is faster, else as a matrix product y[o, p] = sum_q w[o, q] * columns[q,
// p], where q runs over input channels and taps and p over output pixels. The columns exist for one tile of
// pixels and some channels at a time.
#include <algorithm>

#include "engines/kernels/cpu/bands.h"
#include "engines/kernels/cpu/columns.h"
#include "engines/kernels/cpu/direct_conv2d.h"
#include "engines/kernels/openblas/operations.h"
#include "engines/kernels/openblas/sgemm.h"

namespace engines::openblas {
namespace {

// At most kTilePixels x kTileDepth columns, which stay in the second-level cache.
constexpr std::int64_t kTilePixels = 768;
constexpr std::int64_t kTileDepth = 320;

void set_planes(Planes y, const cpu::Tile& tile, const float* bias) {
  for (std::int64_t o = 0; o < y.channels; ++o)
    std::fill_n(y.plane(o) + tile.row * y.width + tile.col, tile.pixels(), bias ? bias[o] : 0.0f);
}

void product_conv2d(Context& context, Planes y, ConstPlanes x, const float* weights, const float* bias,
                    const ConvShape& shape) {
  const std::int64_t taps = shape.kernel * shape.kernel;
  const std::int64_t depth = x.channels * taps;
  const bool pixelwise =
      shape.kernel == 1 && shape.stride == 1 && shape.pad_before == 0 && shape.pad_after == 0;
  const cpu::Tiling tiling(y.height, y.width, kTilePixels);
  const Blocks channels{x.channels, pixelwise ? std::max<std::int64_t>(1, x.channels)
                                              : std::max<std::int64_t>(1, kTileDepth / taps)};
  const std::int64_t column_floats = pixelwise ? 0 : channels.size * taps * tiling.most_pixels();
  context.reserve(column_floats);
  context.pool.parallel_for(tiling.count(), [&](std::int64_t piece, int thread) {
    const cpu::Tile tile = tiling.tile(piece);
    const std::int64_t pixels = tile.pixels();
    const std::int64_t offset = tile.row * y.width + tile.col;
    set_planes(y, tile, bias);
    for (std::int64_t i = 0; i < channels.count(); ++i) {
      const std::int64_t first = channels.first(i);
      const std::int64_t count = channels.length(i);
      const float* columns = x.plane(first) + offset;
      if (!pixelwise) {
        float* gathered = context.thread_scratch[thread].floats(column_floats);
        for (std::int64_t c = 0; c < count; ++c)
          cpu::gather_columns(gathered + c * taps * pixels, x, first + c, tile, shape);
        columns = gathered;
      }
      sgemm(Form::plain, y.channels, pixels, count * taps, weights + first * taps, depth, columns,
            pixelwise ? x.plane_size() : pixels, 1, y.data + offset, y.plane_size());
    }
  });
}

}  // namespace

void conv2d(Context& context, Planes y, ConstPlanes x, const WeightView& w, const float* bias,
            const ConvShape& shape) {
  if (y.size() == 0) return;
  const float* weights = cpu::float_weights(context, w);
  if (cpu::suits_direct_conv2d(shape))
    cpu::direct_conv2d(context, y, x, weights, bias, shape);
  else
    product_conv2d(context, y, x, weights, bias, shape);
}

}  // namespace engines::openblas
