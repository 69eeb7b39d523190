// SPDX-License-Identifier: Apache-2.0
// Output pixels in tiles, and the input pixels that they need; floats, or the bits of bf16.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

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

  // Tiles of at most `largest` pixels.
  Tiling(std::int64_t height, std::int64_t width, std::int64_t largest)
      : rows(Blocks::of(height, std::max<std::int64_t>(1, largest / width))),
        cols(Blocks::of(width, largest, 16)) {}
  std::int64_t count() const { return rows.count() * cols.count(); }
  std::int64_t most_pixels() const { return rows.size * std::min(cols.size, cols.total); }
  Tile tile(std::int64_t i) const {
    const std::int64_t r = i / cols.count();
    const std::int64_t c = i % cols.count();
    return {rows.first(r), rows.length(r), cols.first(c), cols.length(c)};
  }
};

// out[j] = x[channel, row, j * stride + shift] for j in 0..count-1, 0 where that is outside of x.
template <class T>
void copy_padded_row(T* out, std::int64_t count, BasicPlanes<const T> x, std::int64_t channel,
                     std::int64_t row, std::int64_t stride, std::int64_t shift);

// What each tap of the kernel sees of one channel: kernel * kernel rows of tile.pixels() elements.
template <class T>
void gather_columns(T* columns, BasicPlanes<const T> x, std::int64_t channel, const Tile& tile,
                    const ConvShape& shape);

}  // namespace engines::cpu
