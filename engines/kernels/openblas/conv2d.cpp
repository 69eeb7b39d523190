// SPDX-License-Identifier: Apache-2.0
// Convolution as a matrix product: y[o, p] = sum_q w[o, q] * columns[q, p], where q runs over input channels
// and taps and p over output pixels. The columns exist for one tile of pixels and some channels at a time.
#include <algorithm>

#include "engines/kernels/openblas/operations.h"
#include "engines/kernels/openblas/sgemm.h"
#include "engines/kernels/openblas/simd/unpack.h"

namespace engines::openblas {
namespace {

// At most kTilePixels x kTileDepth columns, which stay in the second-level cache.
constexpr std::int64_t kTilePixels = 512;
constexpr std::int64_t kTileDepth = 320;

// A rectangle of output pixels: whole rows, or a part of one row, so that a plane of it is contiguous.
struct Tile {
  std::int64_t row = 0;
  std::int64_t rows = 0;
  std::int64_t col = 0;
  std::int64_t cols = 0;
  std::int64_t pixels() const { return rows * cols; }
};

struct Tiling {
  Blocks rows;
  Blocks cols;

  Tiling(std::int64_t height, std::int64_t width)
      : rows(Blocks::of(height, std::max<std::int64_t>(1, kTilePixels / width))),
        cols(Blocks::of(width, kTilePixels, 16)) {}
  std::int64_t count() const { return rows.count() * cols.count(); }
  std::int64_t most_pixels() const { return rows.size * std::min(cols.size, cols.total); }
  Tile tile(std::int64_t i) const {
    const std::int64_t r = i / cols.count();
    const std::int64_t c = i % cols.count();
    return {rows.first(r), rows.length(r), cols.first(c), cols.length(c)};
  }
};

// out[j] = x[j * stride + shift] for j in 0..count-1, 0 where that is outside of 0..width-1.
void copy_shifted(float* out, std::int64_t count, const float* x, std::int64_t width, std::int64_t stride,
                  std::int64_t shift) {
  const std::int64_t begin = std::clamp<std::int64_t>((stride - 1 - shift) / stride, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>((width - shift + stride - 1) / stride, begin, count);
  std::fill_n(out, begin, 0.0f);
  if (stride == 1) {
    std::copy_n(x + begin + shift, end - begin, out + begin);
  } else {
    for (std::int64_t j = begin; j < end; ++j)
      out[j] = x[j * stride + shift];
  }
  std::fill_n(out + end, count - end, 0.0f);
}

// The columns of one channel: kernel * kernel rows of tile.pixels() floats.
void gather(float* columns, const float* plane, std::int64_t height, std::int64_t width, const Tile& tile,
            const ConvShape& shape) {
  for (std::int64_t a = 0; a < shape.kernel; ++a) {
    for (std::int64_t b = 0; b < shape.kernel; ++b) {
      const std::int64_t shift = tile.col * shape.stride + b - shape.pad_before;
      for (std::int64_t i = tile.row; i < tile.row + tile.rows; ++i, columns += tile.cols) {
        const std::int64_t from = i * shape.stride + a - shape.pad_before;
        if (from < 0 || from >= height)
          std::fill_n(columns, tile.cols, 0.0f);
        else
          copy_shifted(columns, tile.cols, plane + from * width, width, shape.stride, shift);
      }
    }
  }
}

const float* unpack_weights(Context& context, const WeightView& w) {
  if (readable_in_place(w)) return reinterpret_cast<const float*>(w.data);
  float* unpacked = context.shared_scratch.floats(w.size());
  const Blocks blocks{w.size(), kFloatsPerPiece};
  context.pool.parallel_for(blocks.count(), [&](std::int64_t piece, int) {
    unpack(unpacked + blocks.first(piece), w, blocks.first(piece), blocks.length(piece));
  });
  return unpacked;
}

void set_planes(Planes y, const Tile& tile, const float* bias) {
  for (std::int64_t o = 0; o < y.channels; ++o)
    std::fill_n(y.plane(o) + tile.row * y.width + tile.col, tile.pixels(), bias ? bias[o] : 0.0f);
}

}  // namespace

void conv2d(Context& context, Planes y, ConstPlanes x, const WeightView& w, const float* bias,
            const ConvShape& shape) {
  if (y.size() == 0) return;
  const float* weights = unpack_weights(context, w);
  const std::int64_t taps = shape.kernel * shape.kernel;
  const std::int64_t depth = x.channels * taps;
  const bool pixelwise =
      shape.kernel == 1 && shape.stride == 1 && shape.pad_before == 0 && shape.pad_after == 0;
  const Tiling tiling(y.height, y.width);
  const Blocks channels{x.channels, pixelwise ? std::max<std::int64_t>(1, x.channels)
                                              : std::max<std::int64_t>(1, kTileDepth / taps)};
  context.pool.parallel_for(tiling.count(), [&](std::int64_t piece, int thread) {
    const Tile tile = tiling.tile(piece);
    const std::int64_t pixels = tile.pixels();
    const std::int64_t offset = tile.row * y.width + tile.col;
    set_planes(y, tile, bias);
    for (std::int64_t i = 0; i < channels.count(); ++i) {
      const std::int64_t first = channels.first(i);
      const std::int64_t count = channels.length(i);
      const float* columns = x.plane(first) + offset;
      if (!pixelwise) {
        float* gathered = context.thread_scratch[thread].floats(channels.size * taps * tiling.most_pixels());
        for (std::int64_t c = 0; c < count; ++c)
          gather(gathered + c * taps * pixels, x.plane(first + c), x.height, x.width, tile, shape);
        columns = gathered;
      }
      sgemm(Form::plain, y.channels, pixels, count * taps, weights + first * taps, depth, columns,
            pixelwise ? x.plane_size() : pixels, 1, y.data + offset, y.plane_size());
    }
  });
}

}  // namespace engines::openblas
