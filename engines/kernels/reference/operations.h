// SPDX-License-Identifier: Apache-2.0
// The operations of the specification, one file each; kernels.h has the formulas and what the arguments mean.
#pragma once

#include "engines/kernels/kernels.h"

namespace engines::reference {

void linear(Rows y, ConstRows x, const WeightView& w, const float* bias);
void attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape);
void paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape);
void conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias, const ConvShape& shape);
void conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                 const ConvRows& how);
void upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                          const float* bias);

void rms_norm(Rows y, ConstRows x, const float* weight, float eps);
void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps);
void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps);
void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                float eps, bool silu);
void add_moments(Moments* moments, ConstPlanes x);

double silu(double x);
void silu_mul(Rows y, ConstRows a, ConstRows b);
void gelu_tanh_mul(Rows y, ConstRows a, ConstRows b);
void gelu(Rows y, ConstRows x);
void add(Rows y, ConstRows x);
void add_scaled(Rows y, ConstRows x, const float* scale);

void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin);
void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin);

void upsample_nearest_2x(Planes y, ConstPlanes x);

}  // namespace engines::reference
