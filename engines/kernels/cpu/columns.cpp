// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/columns.h"

namespace engines::cpu {

void copy_padded_row(float* out, std::int64_t count, ConstPlanes x, std::int64_t channel, std::int64_t row,
                     std::int64_t stride, std::int64_t shift) {
  if (row < 0 || row >= x.height) {
    std::fill_n(out, count, 0.0f);
    return;
  }
  const float* from = x.plane(channel) + row * x.width;
  const std::int64_t begin = std::clamp<std::int64_t>((stride - 1 - shift) / stride, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>((x.width - shift + stride - 1) / stride, begin, count);
  std::fill_n(out, begin, 0.0f);
  if (stride == 1) {
    std::copy_n(from + begin + shift, end - begin, out + begin);
  } else {
    for (std::int64_t j = begin; j < end; ++j)
      out[j] = from[j * stride + shift];
  }
  std::fill_n(out + end, count - end, 0.0f);
}

void gather_columns(float* columns, ConstPlanes x, std::int64_t channel, const Tile& tile,
                    const ConvShape& shape) {
  for (std::int64_t a = 0; a < shape.kernel; ++a)
    for (std::int64_t b = 0; b < shape.kernel; ++b)
      for (std::int64_t i = tile.row; i < tile.row + tile.rows; ++i, columns += tile.cols)
        copy_padded_row(columns, tile.cols, x, channel, i * shape.stride + a - shape.pad_before, shape.stride,
                        tile.col * shape.stride + b - shape.pad_before);
}

}  // namespace engines::cpu
