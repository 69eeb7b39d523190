// SPDX-License-Identifier: Apache-2.0
// The levels of the decoder, where maps are large. What they compute is that of blocks.h, in place and strip
// by strip: only group norm needs all of a map, and of it only the statistics.
#pragma once

#include <cstddef>
#include <functional>

#include "engines/vae/blocks.h"

namespace engines {

// `budget` is the number of bytes that may be alive if there is a way; results do not depend on it.

// x += conv2(silu(norm2(conv1(silu(norm1(x))))))
void add_resnet(const BlockContext& context, const Resnet& resnet, const Activation& x, std::size_t budget);

// conv(upsample_nearest_2x(x))
Activation enlarge(const BlockContext& context, const Conv& conv, Activation x);

// The resnet, which has a shortcut, of conv(upsample_nearest_2x(x)). `show` is called
// with the latter where the budget allows it to be whole.
Activation apply_enlarged_resnet(const BlockContext& context, const Conv& conv, const Resnet& resnet,
                                 Activation x, std::size_t budget,
                                 const std::function<void(ConstPlanes)>& show);

// conv(silu(norm(x)))
void convolve_normed(const BlockContext& context, const Norm& norm, const Conv& conv, Planes y,
                     const Activation& x);

}  // namespace engines
