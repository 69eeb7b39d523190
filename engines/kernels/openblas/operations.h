// SPDX-License-Identifier: Apache-2.0
// The operations that OpenBLAS has a part in; kernels.h has the formulas and what the arguments mean.
#pragma once

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"

namespace engines::openblas {

using cpu::Blocks;
using cpu::Context;

void linear(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias);
void attention(Context& context, Rows out, ConstRows q, ConstRows k, ConstRows v,
               const AttentionShape& shape);
void conv2d(Context& context, Planes y, ConstPlanes x, const WeightView& w, const float* bias,
            const ConvShape& shape);

// Whether the product can read a float32 weight where it lies.
inline bool readable_in_place(const WeightView& w) {
  return w.dtype == Dtype::f32 && reinterpret_cast<std::uintptr_t>(w.data) % alignof(float) == 0;
}

}  // namespace engines::openblas
