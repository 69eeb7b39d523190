// SPDX-License-Identifier: Apache-2.0
// The fast operations; kernels.h has the formulas and what the arguments mean.
#pragma once

#include "engines/kernels/kernels.h"
#include "engines/kernels/openblas/context.h"

namespace engines::openblas {

void linear(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias);
void attention(Context& context, Rows out, ConstRows q, ConstRows k, ConstRows v,
               const AttentionShape& shape);
void conv2d(Context& context, Planes y, ConstPlanes x, const WeightView& w, const float* bias,
            const ConvShape& shape);

void rms_norm(Context& context, Rows y, ConstRows x, const float* weight, float eps);
void add_rms_norm(Context& context, Rows y, ConstRows x, const float* weight, float eps);
void layer_norm(Context& context, Rows y, ConstRows x, const float* scale, float eps);
void group_norm(Context& context, Planes y, ConstPlanes x, std::int64_t groups, const float* weight,
                const float* bias, float eps, bool silu);

void silu_mul(Context& context, Rows y, ConstRows a, ConstRows b);
void add(Context& context, Rows y, ConstRows x);
void rope_interleaved(Context& context, Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin);
void rope_half(Context& context, Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin);
void upsample_nearest_2x(Context& context, Planes y, ConstPlanes x);

// Whether the product can read a float32 weight where it lies.
inline bool readable_in_place(const WeightView& w) {
  return w.dtype == Dtype::f32 && reinterpret_cast<std::uintptr_t>(w.data) % alignof(float) == 0;
}

}  // namespace engines::openblas
