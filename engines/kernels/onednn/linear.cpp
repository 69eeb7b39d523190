// SPDX-License-Identifier: Apache-2.0
// Matrix product with the weight where it lies in the mapped file, tile by tile; a weight that a product
// cannot read there is brought into its type a panel at a time.
#include <algorithm>

#include "engines/kernels/cpu/simd/skinny_product.h"
#include "engines/kernels/onednn/operands.h"

namespace engines::onednn {
namespace {

// Up to this many rows of x the dot products are computed straight from the stored weight, in float32:
// reading it is the work.
constexpr std::int64_t kSkinnyRows = 4;
constexpr std::int64_t kSkinnyMultiplyAdds = 1 << 16;  // per piece; some microseconds

// A tile of y at most. oneDNN rearranges its part of x and w for each.
constexpr std::int64_t kTileRows = 352;
constexpr std::int64_t kTileCols = 512;
// A panel of unpacked weight: kTileCols x kPanelDepth elements, which stay in the second-level cache.
constexpr std::int64_t kPanelDepth = 512;
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

// A tile of y, and what of x and w belongs to it.
struct Tile {
  Rows y;
  std::int64_t row = 0;  // of x
  std::int64_t col = 0;  // row of w
  bool add = false;      // to what is in y
};

void multiply(const Tools& tools, const Tile& tile, const Operand& x, std::int64_t k, const WeightView& w,
              float* panel) {
  ProductShape shape{tools.operands, Form::transposed, tile.add, tile.y.rows, tile.y.cols, k, x.stride, k,
                     tile.y.stride};
  if (readable_in_place(tools, w)) {
    const std::byte* weights = w.data + bytes_of(w.dtype, tile.col * k);
    return tools.products.of(shape).run(x.at(tile.row, 0), weights, tile.y.data);
  }
  const Blocks depths{k, kPanelDepth};
  for (std::int64_t i = 0; i < depths.count(); ++i) {
    shape.k = shape.ldb = depths.length(i);
    auto* row = reinterpret_cast<std::byte*>(panel);
    for (std::int64_t r = 0; r < tile.y.cols; ++r, row += bytes_of(x.dtype, shape.k))
      unpack(tools.operands, row, w, (tile.col + r) * k + depths.first(i), shape.k);
    tools.products.of(shape).run(x.at(tile.row, depths.first(i)), panel, tile.y.data);
    shape.add = true;
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

void linear(const Tools& tools, Rows y, ConstRows x, const WeightView& w, const float* bias) {
  if (y.rows == 0 || y.cols == 0) return;
  if (x.cols == 0) return set_rows(y, bias);
  Context& context = tools.context;
  if (x.rows <= kSkinnyRows) return skinny_linear(context, y, x, w, bias);
  tools.products.forget_if_many();
  const std::int64_t k = x.cols;
  const Operand rounded =
      operand_of(tools, context.shared_scratch.floats(floats_for(tools.operands, x.rows * k)), x);
  const Tiles tiles = cut(y.rows, y.cols, k);
  const std::int64_t down = tiles.rows.count();
  const std::int64_t panel_floats =
      readable_in_place(tools, w) ? 0
                                  : floats_for(tools.operands, tiles.cols.size * std::min(k, kPanelDepth));
  context.reserve(panel_floats);
  // Tiles that share a part of w follow one another.
  context.pool.parallel_for(down * tiles.cols.count(), [&](std::int64_t piece, int thread) {
    const std::int64_t row = tiles.rows.first(piece % down);
    const std::int64_t col = tiles.cols.first(piece / down);
    const Rows tile =
        y.slice_rows(row, tiles.rows.length(piece % down)).slice_cols(col, tiles.cols.length(piece / down));
    if (bias) set_rows(tile, bias + col);
    multiply(tools, {tile, row, col, bias != nullptr}, rounded, k, w,
             context.thread_scratch[thread].floats(panel_floats));
  });
}

}  // namespace engines::onednn
