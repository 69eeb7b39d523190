// SPDX-License-Identifier: Apache-2.0
// An image in memory.
#pragma once

#include <cstdint>
#include <vector>

namespace roundhouse::host {

// 3 bytes a pixel: red, green, blue, interleaved, rows from the top. One that left an engine has been
// checked: every sample was finite, and the size is the one that was asked for.
struct Image {
  std::uint32_t width = 0, height = 0;  // in pixels
  std::vector<std::uint8_t> rgb;        // 3 * width * height
};

}  // namespace roundhouse::host
