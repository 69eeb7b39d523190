// SPDX-License-Identifier: Apache-2.0
// Converts the image of an engine.
#include "host/worker/image_of.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace roundhouse::host {
namespace {

std::uint8_t sample_of(const std::uint8_t* source) {
  float value;
  std::memcpy(&value, source, sizeof value);  // rows of a stranger need not be aligned
  return static_cast<std::uint8_t>(std::nearbyint(std::clamp(value, 0.0F, 1.0F) * 255.0F));
}

void convert_row(std::uint32_t format, const std::uint8_t* source, std::size_t samples,
                 std::uint8_t* target) {
  if (format == RH_PIXELS_RGB_U8) {
    std::copy_n(source, samples, target);
  } else if (format == RH_PIXELS_GRAY_U8) {
    for (std::size_t i = 0; i < samples; ++i)
      target[i] = source[i / 3];
  } else {
    for (std::size_t i = 0; i < samples; ++i)
      target[i] = sample_of(source + i * sizeof(float));
  }
}

}  // namespace

Image image_of(const rh_pixels& pixels) {
  const std::size_t samples = std::size_t{3} * pixels.width;
  Image image{pixels.width, pixels.height, std::vector<std::uint8_t>(samples * pixels.height)};
  for (std::uint32_t y = 0; y < pixels.height; ++y) {
    convert_row(pixels.format, static_cast<const std::uint8_t*>(pixels.data) + y * pixels.row_bytes, samples,
                image.rgb.data() + y * samples);
  }
  return image;
}

}  // namespace roundhouse::host
