// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/onednn/operands.h"

#include <array>
#include <cstring>

#include "engines/kernels/cpu/simd/round.h"
#include "engines/kernels/cpu/simd/unpack.h"

namespace engines::onednn {

std::int64_t floats_for(Dtype dtype, std::int64_t count) {
  constexpr std::int64_t kLine = 64;
  const std::int64_t bytes = count * static_cast<std::int64_t>(size_of(dtype));
  return (bytes + kLine - 1) / kLine * (kLine / static_cast<std::int64_t>(sizeof(float)));
}

Operand operand_of(const Tools& tools, float* room, ConstRows x) {
  if (tools.operands == Dtype::f32) return {reinterpret_cast<const std::byte*>(x.data), Dtype::f32, x.stride};
  auto* const rounded = reinterpret_cast<std::uint16_t*>(room);
  cpu::for_row_blocks(tools.context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    if (x.contiguous()) return cpu::round_to_bf16(rounded + first * x.cols, x.row(first), rows * x.cols);
    for (std::int64_t r = first; r < first + rows; ++r)
      cpu::round_to_bf16(rounded + r * x.cols, x.row(r), x.cols);
  });
  return {reinterpret_cast<const std::byte*>(rounded), Dtype::bf16, x.cols};
}

bool readable_in_place(const Tools& tools, const WeightView& w) {
  return w.dtype == tools.operands && reinterpret_cast<std::uintptr_t>(w.data) % size_of(w.dtype) == 0;
}

void unpack(Dtype operands, void* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  if (operands == Dtype::f32) return cpu::unpack(static_cast<float*>(out), w, first, count);
  auto* rounded = static_cast<std::uint16_t*>(out);
  if (w.dtype == Dtype::bf16) {
    std::memcpy(rounded, w.data + first * 2, static_cast<std::size_t>(count) * 2);
    return;
  }
  constexpr std::int64_t kFloats = 1024;  // stay in the first-level cache between the two steps
  alignas(64) std::array<float, kFloats> floats;
  for (std::int64_t done = 0; done < count; done += kFloats) {
    const std::int64_t some = std::min(kFloats, count - done);
    cpu::unpack(floats.data(), w, first + done, some);
    cpu::round_to_bf16(rounded + done, floats.data(), some);
  }
}

}  // namespace engines::onednn
