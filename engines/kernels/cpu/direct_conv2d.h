// SPDX-License-Identifier: Apache-2.0
// Convolution without a matrix product: the sums of a few outputs stay in registers while the taps pass by.
// Each output is summed in the same order wherever its tile begins.
#pragma once

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

// Whether direct_conv2d can do it and is the faster way: stride 1, a kernel larger than a pixel.
bool suits_direct_conv2d(const ConvShape& shape);

// weights: [y.channels, x.channels, kernel, kernel]; bias may be null.
void direct_conv2d(Context& context, Planes y, ConstPlanes x, const float* weights, const float* bias,
                   const ConvShape& shape);

void conv2d_rows(Context& context, Planes y, std::int64_t first, const Strip& x, const WeightView& w,
                 const float* bias, const ConvRows& how);
void upsample_conv2d_rows(Context& context, Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                          const float* bias);

}  // namespace engines::cpu
