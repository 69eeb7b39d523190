// SPDX-License-Identifier: Apache-2.0
// Matrix product with the weight where it lies in the mapped file, tile by tile; a weight that a product
// cannot read there is brought into its type a panel at a time.
#include <algorithm>

#include "engines/kernels/cpu/operands.h"
#include "engines/kernels/cpu/simd/skinny_product.h"

namespace engines::cpu {
namespace {

constexpr std::int64_t kSkinnyMultiplyAdds = 1 << 16;  // per piece; some microseconds

// A tile of y has ProductSizes::tile rows and so many columns at most. Libraries rearrange its part of x and
// w for each.
constexpr std::int64_t kProductCols = 512;
// Rows of a panel that lay at multiples of 4096 bytes would drive one another out of the caches.
constexpr std::int64_t kRowGap = 32;
// Tiles are made smaller to give several threads something to do, but not smaller than this.
constexpr std::int64_t kTiles = 8;
constexpr std::int64_t kTileMultiplyAdds = 1 << 21;
// Tiles above one another share their panels as long as there are so many pieces of work.
constexpr std::int64_t kProductPieces = 32;

// How y[m,n] is cut: by shape alone.
struct Cut {
  Blocks rows;
  Blocks cols;
  Blocks groups;  // of blocks of rows

  std::int64_t pieces() const { return groups.count() * cols.count(); }
};

Cut cut(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t most_rows) {
  std::int64_t rows = most_rows;
  std::int64_t cols = kProductCols;
  for (;;) {
    const Blocks down = Blocks::of(m, rows, 4);
    const Blocks across = Blocks::of(n, cols, 16);
    const std::int64_t tile = down.size * across.size;
    if (down.count() * across.count() >= kTiles || tile * k < 2 * kTileMultiplyAdds) {
      const std::int64_t group = std::max<std::int64_t>(1, down.count() * across.count() / kProductPieces);
      return {down, across, Blocks::of(down.count(), group)};
    }
    (down.size > across.size ? rows : cols) = std::max(down.size, across.size) / 2;
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

// A part of a weight's rows and columns as a product takes it.
struct Panel {
  const std::byte* data = nullptr;
  std::int64_t stride = 0;
};

// Asks for elements that are wanted next: parts of rows are too short for the processor to guess them.
void ask_for(const WeightView& w, std::int64_t first, std::int64_t count) {
  constexpr std::int64_t kLine = 64;
  const std::byte* const data = w.data + bytes_of(w.dtype, first);
  for (std::int64_t i = 0; i < bytes_of(w.dtype, count); i += kLine)
    __builtin_prefetch(data + i);
}

// w[first_row .. +rows, first_col .. +cols] where it lies, or else unpacked to `room`.
Panel panel_of(const Tools& tools, float* room, const WeightView& w, std::int64_t first_row,
               std::int64_t rows, std::int64_t first_col, std::int64_t cols) {
  const std::int64_t k = w.shape[1];
  const std::int64_t first = first_row * k + first_col;
  if (readable_in_place(tools.operands, w)) return {w.data + bytes_of(w.dtype, first), k};
  auto* const unpacked = reinterpret_cast<std::byte*>(room);
  for (std::int64_t r = 0; r < rows; ++r) {
    ask_for(w, first + (r + 1 < rows ? r + 1 : r) * k, cols);
    unpack(tools.operands, unpacked + bytes_of(tools.operands, r * (cols + kRowGap)), w, first + r * k, cols);
  }
  return {unpacked, cols + kRowGap};
}

// The tiles of some blocks of rows and one of columns.
struct Piece {
  Blocks rows;
  std::int64_t first_block = 0;
  std::int64_t blocks = 0;
  std::int64_t col = 0;
  std::int64_t cols = 0;
};

void multiply(const Tools& tools, Rows y, const Piece& piece, const Operand& x, const WeightView& w,
              const float* bias, const Blocks& depths, float* room) {
  for (std::int64_t i = 0; i < depths.count(); ++i) {
    const std::int64_t depth = depths.length(i);
    const Panel panel = panel_of(tools, room, w, piece.col, piece.cols, depths.first(i), depth);
    for (std::int64_t b = piece.first_block; b < piece.first_block + piece.blocks; ++b) {
      const std::int64_t row = piece.rows.first(b);
      const Rows tile = y.slice_rows(row, piece.rows.length(b)).slice_cols(piece.col, piece.cols);
      if (bias && i == 0) set_rows(tile, bias + piece.col);
      const ProductShape shape{tools.operands, Form::transposed, bias || i > 0, tile.rows,  tile.cols,
                               depth,          x.stride,         panel.stride,  tile.stride};
      tools.products.multiply(shape, x.at(row, depths.first(i)), panel.data, tile.data);
    }
  }
}

void skinny_linear(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias) {
  const std::int64_t cols = kSkinnyMultiplyAdds / std::max<std::int64_t>(1, x.rows * x.cols);
  const Blocks blocks{y.cols, std::max<std::int64_t>(4, cols / 4 * 4)};
  context.pool.parallel_for(blocks.count(), [&](std::int64_t piece, int) {
    const std::int64_t first = blocks.first(piece);
    skinny_product(y.slice_cols(first, blocks.length(piece)), x, w, first, bias ? bias + first : nullptr);
  });
}

}  // namespace

// Which rows of x share a pass over the weight does not change how the products of one are added up.
void linear_by_rows(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias) {
  if (y.rows == 0 || y.cols == 0) return;
  if (x.cols == 0) return set_rows(y, bias);
  skinny_linear(context, y, x, w, bias);
}

void linear(const Tools& tools, Rows y, ConstRows x, const WeightView& w, const float* bias) {
  if (y.rows == 0 || y.cols == 0) return;
  if (x.cols == 0) return set_rows(y, bias);
  Context& context = tools.context;
  const ProductSizes sizes = tools.products.sizes();
  if (x.rows <= sizes.skinny) return skinny_linear(context, y, x, w, bias);
  tools.products.begin_operation();
  const Operand operand = operand_of(tools, x);
  const Cut parts = cut(y.rows, y.cols, x.cols, sizes.tile);
  const bool in_place = readable_in_place(tools.operands, w);
  const Blocks depths = tools.products.cut_depth(x.cols, w, in_place);
  const std::int64_t down = parts.groups.count();
  const std::int64_t panel_floats =
      in_place ? 0 : floats_for(tools.operands, parts.cols.size * (depths.size + kRowGap));
  context.reserve(panel_floats);
  // Pieces that share a part of w follow one another.
  context.pool.parallel_for(parts.pieces(), [&](std::int64_t piece, int thread) {
    const std::int64_t group = piece % down;
    const std::int64_t across = piece / down;
    multiply(tools, y,
             {parts.rows, parts.groups.first(group), parts.groups.length(group), parts.cols.first(across),
              parts.cols.length(across)},
             operand, w, bias, depths, context.thread_scratch[thread].floats(panel_floats));
  });
}

}  // namespace engines::cpu
