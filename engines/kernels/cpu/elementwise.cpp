// SPDX-License-Identifier: Apache-2.0
// The operations between the products that know one row at a time.
#include "engines/kernels/cpu/simd/elementwise.h"

#include "engines/kernels/cpu/operations.h"
#include "engines/kernels/cpu/simd/normalise.h"
#include "engines/kernels/cpu/simd/rope.h"
#include "engines/kernels/reference/operations.h"

namespace engines::cpu {

void silu_mul(Context& context, Rows y, ConstRows a, ConstRows b) {
  for_row_blocks(context, y.rows, y.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      silu_mul_row(y.row(r), a.row(r), b.row(r), y.cols);
  });
}

void gelu_tanh_mul(Context& context, Rows y, ConstRows a, ConstRows b) {
  for_row_blocks(context, y.rows, y.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      gelu_tanh_mul_row(y.row(r), a.row(r), b.row(r), y.cols);
  });
}

void gelu(Context& context, Rows y, ConstRows x) {
  for_row_blocks(context, y.rows, y.cols, [&](std::int64_t first, std::int64_t rows) {
    reference::gelu(y.slice_rows(first, rows), x.slice_rows(first, rows));
  });
}

void add(Context& context, Rows y, ConstRows x) {
  for_row_blocks(context, y.rows, y.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      add_row(y.row(r), x.row(r), y.cols);
  });
}

void add_scaled(Context& context, Rows y, ConstRows x, const float* scale) {
  for_row_blocks(context, y.rows, y.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      add_scaled_row(y.row(r), x.row(r), 1, scale, y.cols);
  });
}

void rope_interleaved(Context& context, Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) {
  for_row_blocks(context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      for (std::int64_t column = 0; column < x.cols; column += head_dim)
        rotate_interleaved(x.row(r) + column, cos.row(r), sin.row(r), head_dim / 2);
  });
}

void rope_half(Context& context, Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) {
  for_row_blocks(context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      for (std::int64_t column = 0; column < x.cols; column += head_dim)
        rotate_half(x.row(r) + column, cos.row(r), sin.row(r), head_dim / 2);
  });
}

void upsample_nearest_2x(Context& context, Planes y, ConstPlanes x) {
  for_row_blocks(context, x.channels * x.height, 4 * x.width, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r) {
      float* out = y.data + 2 * r * y.width;
      double_row(out, x.data + r * x.width, x.width);
      std::copy_n(out, y.width, out + y.width);
    }
  });
}

}  // namespace engines::cpu
