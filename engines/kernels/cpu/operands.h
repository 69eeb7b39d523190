// SPDX-License-Identifier: Apache-2.0
// Activations and weights in the type that a product takes: where they lie, or brought there.
#pragma once

#include "engines/kernels/cpu/product_operations.h"

namespace engines::cpu {

// Rows of f32 or bf16, `stride` elements apart.
struct Operand {
  const std::byte* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::int64_t stride = 0;

  const std::byte* at(std::int64_t row, std::int64_t col) const {
    return data + bytes_of(dtype, row * stride + col);
  }
};

// How many floats of scratch memory `count` elements take; a multiple of 64 bytes.
std::int64_t floats_for(Dtype dtype, std::int64_t count);

// out[i] = the bits of the bf16 nearest to x[i]. Single thread.
void round_to_bf16(std::uint16_t* out, const float* x, std::int64_t count);
// x itself where floats are wanted; else x rounded to bf16 in shared_scratch.
Operand operand_of(const Tools& tools, ConstRows x);

// Whether a product can read the weight where it lies.
bool readable_in_place(Dtype operands, const WeightView& w);
// out[i] = w[first + i] for i in 0..count-1, as `operands`. Single thread.
void unpack(Dtype operands, void* out, const WeightView& w, std::int64_t first, std::int64_t count);

}  // namespace engines::cpu
