// SPDX-License-Identifier: Apache-2.0
// Matrix product with the weight in its stored type: unpacked tile by tile on the way into the product, or
// read directly when there are so few rows that reading the weight is the work.
#include <algorithm>

#include "engines/kernels/cpu/simd/skinny_product.h"
#include "engines/kernels/cpu/simd/unpack.h"
#include "engines/kernels/openblas/operations.h"
#include "engines/kernels/openblas/sgemm.h"

namespace engines::openblas {
namespace {

// Up to this many rows of x the dot products are computed straight from the stored weight: measured up to
// there, that is faster than packing the weight for the product.
constexpr std::int64_t kSkinnyRows = 128;
constexpr std::int64_t kSkinnyMultiplyAdds = 1 << 16;  // per piece; some microseconds

// A tile of y at most. Each packs its part of x and w anew, which costs as much as a few rows or columns
// more.
constexpr std::int64_t kTileRows = 512;
constexpr std::int64_t kTileCols = 512;
// Unpacked weight: kTileCols x kTileDepth floats, which stay in the second-level cache; whole blocks.
constexpr std::int64_t kTileDepth = 384;

std::int64_t tile_depth(Dtype dtype) {
  return kTileDepth / block_length(dtype) * block_length(dtype);
}
// Tiles are made smaller to give several threads something to do, but not smaller than this.
constexpr std::int64_t kTiles = 8;
constexpr std::int64_t kTileMultiplyAdds = 1 << 21;

struct Tiles {
  Blocks rows;
  Blocks cols;
};

Tiles cut(std::int64_t m, std::int64_t n, std::int64_t k) {
  std::int64_t rows = kTileRows;
  std::int64_t cols = kTileCols;
  for (;;) {
    const Tiles tiles{Blocks::of(m, rows, 4), Blocks::of(n, cols, 16)};
    const std::int64_t tile = tiles.rows.size * tiles.cols.size;
    if (tiles.rows.count() * tiles.cols.count() >= kTiles || tile * k < 2 * kTileMultiplyAdds) return tiles;
    (tiles.rows.size > tiles.cols.size ? rows : cols) = std::max(tiles.rows.size, tiles.cols.size) / 2;
  }
}

void set_rows(Rows y, const float* bias) {
  for (std::int64_t r = 0; r < y.rows; ++r) {
    if (bias)
      std::copy_n(bias, y.cols, y.row(r));
    else
      std::fill_n(y.row(r), y.cols, 0.0f);
  }
}

// y += x * w[first .. first + y.cols, :]^T; `unpacked` has room for y.cols x kTileDepth floats.
void add_product(float* unpacked, Rows y, ConstRows x, const WeightView& w, std::int64_t first) {
  if (readable_in_place(w)) {
    const float* weights = reinterpret_cast<const float*>(w.data) + first * x.cols;
    sgemm(Form::transposed, y.rows, y.cols, x.cols, x.data, x.stride, weights, x.cols, 1, y.data, y.stride);
    return;
  }
  const Blocks depths{x.cols, tile_depth(w.dtype)};
  for (std::int64_t i = 0; i < depths.count(); ++i) {
    const std::int64_t depth = depths.length(i);
    for (std::int64_t r = 0; r < y.cols; ++r)
      cpu::unpack(unpacked + r * depth, w, (first + r) * x.cols + depths.first(i), depth);
    sgemm(Form::transposed, y.rows, y.cols, depth, x.data + depths.first(i), x.stride, unpacked, depth, 1,
          y.data, y.stride);
  }
}

void skinny_linear(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias) {
  const std::int64_t cols = kSkinnyMultiplyAdds / std::max<std::int64_t>(1, x.rows * x.cols);
  const Blocks blocks{y.cols, std::max<std::int64_t>(4, cols / 4 * 4)};
  context.pool.parallel_for(blocks.count(), [&](std::int64_t piece, int) {
    const std::int64_t first = blocks.first(piece);
    cpu::skinny_product(y.slice_cols(first, blocks.length(piece)), x, w, first,
                        bias ? bias + first : nullptr);
  });
}

}  // namespace

void linear(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias) {
  if (y.rows == 0 || y.cols == 0) return;
  if (x.cols == 0) return set_rows(y, bias);
  if (x.rows <= kSkinnyRows) return skinny_linear(context, y, x, w, bias);
  const Tiles tiles = cut(y.rows, y.cols, x.cols);
  const std::int64_t across = tiles.cols.count();
  const std::int64_t unpacked_floats =
      readable_in_place(w) ? 0 : tiles.cols.size * std::min(x.cols, kTileDepth);
  context.reserve(unpacked_floats);
  context.pool.parallel_for(tiles.rows.count() * across, [&](std::int64_t piece, int thread) {
    const std::int64_t row = tiles.rows.first(piece / across);
    const std::int64_t rows = tiles.rows.length(piece / across);
    const std::int64_t col = tiles.cols.first(piece % across);
    const Rows tile = y.slice_rows(row, rows).slice_cols(col, tiles.cols.length(piece % across));
    set_rows(tile, bias ? bias + col : nullptr);
    add_product(context.thread_scratch[thread].floats(unpacked_floats), tile, x.slice_rows(row, rows), w,
                col);
  });
}

}  // namespace engines::openblas
