// SPDX-License-Identifier: Apache-2.0
// Images in another size.
#pragma once

#include <cstdint>
#include <vector>

#include "host/task/image.h"

namespace roundhouse::host {

// A rectangle of an image, in pixels.
struct Crop {
  std::uint32_t x = 0, y = 0, width = 0, height = 0;
};

// Samples, interleaved, rows from the top.
struct SampleGrid {
  std::uint32_t width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> values;  // width * height * channels
};

// Lanczos with 3 lobes, wider where the image becomes smaller, edges clipped; as Pillow's LANCZOS to one
// level. Formula: Turkowski, "Filters for common resampling tasks", 1990. No side may be 0.
SampleGrid resized(const SampleGrid& from, std::uint32_t width, std::uint32_t height);
// The rectangle lies within.
SampleGrid cropped(const SampleGrid& from, const Crop& crop);

}  // namespace roundhouse::host
