// SPDX-License-Identifier: Apache-2.0
// The size of the image: asked for, from an aspect, or the model's own.
#pragma once

#include <cstdint>
#include <string>

#include "host/session/session.h"

namespace roundhouse::host {

struct Size {
  std::uint32_t width = 0, height = 0;
};

// Among the sizes that `limits` allows the one nearest to the aspect and to the area of `usual`: it minimises
// |ln(width/height / aspect)| + |ln(width*height / area)|. 16:9 about 1024x1024 in multiples of 64 is
// 1344x768. Throws INVALID_ARGUMENT for an aspect that is not one of the presets.
Size size_of_aspect(const std::string& aspect, const Size& usual, const SizeLimits& limits);

// The size that the request means; what it does not say comes from `usual`. Throws INVALID_DIMENSION naming
// side, value, both bounds and `whose` limits they are.
Size requested_size(const GenerateRequest& request, const Size& usual, const SizeLimits& limits,
                    const std::string& whose);

// The size nearest to width x height in shape, and no larger where that can be, that `limits` allow: 848x480
// is 512x288 where 512 is the largest side and 16 the raster.
Size snapped_size(const Size& size, const SizeLimits& limits);

}  // namespace roundhouse::host
