// SPDX-License-Identifier: Apache-2.0
// The operations that are made of matrix products; kernels.h has the formulas and what the arguments mean.
#pragma once

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/cpu/products.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

// What they work with, and the type that the operands of products are brought to: f32 or bf16.
struct Tools {
  Context& context;
  Products& products;
  Dtype operands = Dtype::f32;
};

void linear(const Tools& tools, Rows y, ConstRows x, const WeightView& w, const float* bias);
void linear_by_rows(Context& context, Rows y, ConstRows x, const WeightView& w, const float* bias);
void paged_attention(const Tools& tools, Rows out, ConstRows q, const PagedKeys& seen,
                     const AttentionShape& shape);
void paged_attention_by_rows(Context& context, Rows out, ConstRows q, const PagedKeys& seen,
                             const AttentionShape& shape);
void attention(const Tools& tools, Rows out, ConstRows q, ConstRows k, ConstRows v,
               const AttentionShape& shape);
void conv2d(const Tools& tools, Planes y, ConstPlanes x, const WeightView& w, const float* bias,
            const ConvShape& shape);

}  // namespace engines::cpu
