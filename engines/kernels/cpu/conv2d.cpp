// SPDX-License-Identifier: Apache-2.0
// Convolution: in float32 directly where that is faster, else as a matrix product y[o, p] = sum_q w[o, q] *
// columns[q, p], where q runs over input channels and taps and p over output pixels. The columns exist for
// one tile of pixels and some channels at a time.
#include <algorithm>

#include "engines/kernels/cpu/bands.h"
#include "engines/kernels/cpu/columns.h"
#include "engines/kernels/cpu/direct_conv2d.h"
#include "engines/kernels/cpu/operands.h"
#include "engines/kernels/cpu/simd/unpack.h"

namespace engines::cpu {
namespace {

// At most kTilePixels x kTileDepth columns, which stay in the second-level cache.
constexpr std::int64_t kTilePixels = 768;
constexpr std::int64_t kTileDepth = 320;
// A product gathers each column for all output channels at once: for fewer than this, gathering is the work.
constexpr std::int64_t kFewestOutputs = 32;

// The stored weights as bf16: where they lie if that is possible, else in arranged_scratch.
const std::uint16_t* bf16_weights(Context& context, const WeightView& w) {
  if (readable_in_place(Dtype::bf16, w)) return reinterpret_cast<const std::uint16_t*>(w.data);
  auto* unpacked =
      reinterpret_cast<std::uint16_t*>(context.arranged_scratch.floats(floats_for(Dtype::bf16, w.size())));
  const Blocks blocks{w.size(), kFloatsPerPiece};
  context.pool.parallel_for(blocks.count(), [&](std::int64_t piece, int) {
    unpack_bf16(unpacked + blocks.first(piece), w, blocks.first(piece), blocks.length(piece));
  });
  return unpacked;
}

void set_planes(Planes y, const Tile& tile, const float* bias) {
  for (std::int64_t o = 0; o < y.channels; ++o)
    std::fill_n(y.plane(o) + tile.row * y.width + tile.col, tile.pixels(), bias ? bias[o] : 0.0f);
}

// T holds an element of x and of the weights, tools.operands says which type it is.
template <class T>
void product_conv2d(const Tools& tools, Planes y, BasicPlanes<const T> x, const T* weights, const float* bias,
                    const ConvShape& shape) {
  const std::int64_t taps = shape.kernel * shape.kernel;
  const std::int64_t depth = x.channels * taps;
  const bool pixelwise =
      shape.kernel == 1 && shape.stride == 1 && shape.pad_before == 0 && shape.pad_after == 0;
  const Tiling tiling(y.height, y.width, kTilePixels);
  const Blocks channels{x.channels, std::max<std::int64_t>(1, pixelwise ? x.channels : kTileDepth / taps)};
  const std::int64_t column_floats =
      pixelwise ? 0 : floats_for(tools.operands, channels.size * taps * tiling.most_pixels());
  tools.context.reserve(column_floats);
  tools.context.pool.parallel_for(tiling.count(), [&](std::int64_t piece, int thread) {
    const Tile tile = tiling.tile(piece);
    const std::int64_t pixels = tile.pixels();
    const std::int64_t offset = tile.row * y.width + tile.col;
    set_planes(y, tile, bias);
    for (std::int64_t i = 0; i < channels.count(); ++i) {
      const std::int64_t first = channels.first(i);
      const std::int64_t count = channels.length(i);
      const T* columns = x.plane(first) + offset;
      if (!pixelwise) {
        auto* gathered = reinterpret_cast<T*>(tools.context.thread_scratch[thread].floats(column_floats));
        for (std::int64_t c = 0; c < count; ++c)
          gather_columns(gathered + c * taps * pixels, x, first + c, tile, shape);
        columns = gathered;
      }
      tools.products.multiply({tools.operands, Form::plain, true, y.channels, pixels, count * taps, depth,
                               pixelwise ? x.plane_size() : pixels, y.plane_size()},
                              weights + first * taps, columns, y.data + offset);
    }
  });
}

}  // namespace

void conv2d(const Tools& tools, Planes y, ConstPlanes x, const WeightView& w, const float* bias,
            const ConvShape& shape) {
  if (y.size() == 0) return;
  tools.products.begin_operation();
  Context& context = tools.context;
  if (tools.operands == Dtype::bf16 && y.channels >= kFewestOutputs) {
    const std::uint16_t* weights = bf16_weights(context, w);
    const Operand rounded = operand_of(tools, ConstRows(x.data, x.channels * x.height, x.width));
    const BasicPlanes<const std::uint16_t> planes(reinterpret_cast<const std::uint16_t*>(rounded.data),
                                                  x.channels, x.height, x.width);
    return product_conv2d(tools, y, planes, weights, bias, shape);
  }
  const float* weights = float_weights(context, w);
  if (suits_direct_conv2d(shape))
    direct_conv2d(context, y, x, weights, bias, shape);
  else
    product_conv2d({context, tools.products, Dtype::f32}, y, x, weights, bias, shape);
}

}  // namespace engines::cpu
