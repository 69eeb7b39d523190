// SPDX-License-Identifier: Apache-2.0
// The vectorised operations between the products; kernels.h has the formulas and what the arguments mean.
#pragma once

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

void rms_norm(Context& context, Rows y, ConstRows x, const float* weight, float eps);
void add_rms_norm(Context& context, Rows y, ConstRows x, const float* weight, float eps);
void layer_norm(Context& context, Rows y, ConstRows x, const float* scale, const float* shift, float eps);
void group_norm(Context& context, Planes y, ConstPlanes x, std::int64_t groups, const float* weight,
                const float* bias, float eps, bool silu);
void add_moments(Context& context, Moments* moments, ConstPlanes x);

void silu_mul(Context& context, Rows y, ConstRows a, ConstRows b);
void gelu_tanh_mul(Context& context, Rows y, ConstRows a, ConstRows b);
void gelu(Context& context, Rows y, ConstRows x);
void add(Context& context, Rows y, ConstRows x);
void add_scaled(Context& context, Rows y, ConstRows x, const float* scale);
void rope_interleaved(Context& context, Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin);
void rope_half(Context& context, Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin);
void upsample_nearest_2x(Context& context, Planes y, ConstPlanes x);

}  // namespace engines::cpu
