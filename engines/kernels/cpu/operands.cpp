// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/operands.h"

#include "engines/kernels/cpu/simd/unpack.h"

namespace engines::cpu {

std::int64_t floats_for(Dtype dtype, std::int64_t count) {
  constexpr std::int64_t kLine = 64;
  return (bytes_of(dtype, count) + kLine - 1) / kLine * (kLine / bytes_of(Dtype::f32, 1));
}

void round_to_bf16(std::uint16_t* out, const float* x, std::int64_t count) {
  const WeightView floats{reinterpret_cast<const std::byte*>(x), Dtype::f32, {}};
  unpack_bf16(out, floats, 0, count);
}

Operand operand_of(const Tools& tools, ConstRows x) {
  if (tools.operands == Dtype::f32) return {reinterpret_cast<const std::byte*>(x.data), Dtype::f32, x.stride};
  float* const room = tools.context.shared_scratch.floats(floats_for(Dtype::bf16, x.rows * x.cols));
  auto* const rounded = reinterpret_cast<std::uint16_t*>(room);
  const auto round = [&](std::int64_t row, std::int64_t count) {
    round_to_bf16(rounded + row * x.cols, x.row(row), count);
  };
  for_row_blocks(tools.context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    if (x.contiguous()) return round(first, rows * x.cols);
    for (std::int64_t r = first; r < first + rows; ++r)
      round(r, x.cols);
  });
  return {reinterpret_cast<const std::byte*>(rounded), Dtype::bf16, x.cols};
}

bool readable_in_place(Dtype operands, const WeightView& w) {
  const std::size_t alignment = operands == Dtype::f32 ? alignof(float) : alignof(std::uint16_t);
  return w.dtype == operands && reinterpret_cast<std::uintptr_t>(w.data) % alignment == 0;
}

void unpack(Dtype operands, void* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  if (operands == Dtype::f32)
    unpack(static_cast<float*>(out), w, first, count);
  else
    unpack_bf16(static_cast<std::uint16_t*>(out), w, first, count);
}

}  // namespace engines::cpu
