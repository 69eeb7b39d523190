// SPDX-License-Identifier: Apache-2.0
// Convolution without a matrix product, for few channels: there the product packs each column for so few
// outputs that packing costs as much as multiplying.
#pragma once

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

// Whether direct_conv2d can do it and is the faster way: stride 1, a kernel larger than a pixel.
bool suits_direct_conv2d(const ConvShape& shape);

// weights: [y.channels, x.channels, kernel, kernel]; bias may be null.
void direct_conv2d(Context& context, Planes y, ConstPlanes x, const float* weights, const float* bias,
                   const ConvShape& shape);

}  // namespace engines::cpu
