// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/columns.h"

namespace engines::cpu {

template <class T>
void copy_padded_row(T* out, std::int64_t count, BasicPlanes<const T> x, std::int64_t channel,
                     std::int64_t row, std::int64_t stride, std::int64_t shift) {
  if (row < 0 || row >= x.height) {
    std::fill_n(out, count, T{0});
    return;
  }
  const T* from = x.plane(channel) + row * x.width;
  const std::int64_t begin = std::clamp<std::int64_t>((stride - 1 - shift) / stride, 0, count);
  const std::int64_t end = std::clamp<std::int64_t>((x.width - shift + stride - 1) / stride, begin, count);
  std::fill_n(out, begin, T{0});
  if (stride == 1) {
    std::copy_n(from + begin + shift, end - begin, out + begin);
  } else {
    for (std::int64_t j = begin; j < end; ++j)
      out[j] = from[j * stride + shift];
  }
  std::fill_n(out + end, count - end, T{0});
}

template <class T>
void gather_columns(T* columns, BasicPlanes<const T> x, std::int64_t channel, const Tile& tile,
                    const ConvShape& shape) {
  for (std::int64_t a = 0; a < shape.kernel; ++a)
    for (std::int64_t b = 0; b < shape.kernel; ++b)
      for (std::int64_t i = tile.row; i < tile.row + tile.rows; ++i, columns += tile.cols)
        copy_padded_row(columns, tile.cols, x, channel, i * shape.stride + a - shape.pad_before, shape.stride,
                        tile.col * shape.stride + b - shape.pad_before);
}

template void copy_padded_row(float*, std::int64_t, BasicPlanes<const float>, std::int64_t, std::int64_t,
                              std::int64_t, std::int64_t);
template void gather_columns(float*, BasicPlanes<const float>, std::int64_t, const Tile&, const ConvShape&);
template void gather_columns(std::uint16_t*, BasicPlanes<const std::uint16_t>, std::int64_t, const Tile&,
                             const ConvShape&);

}  // namespace engines::cpu
