// SPDX-License-Identifier: Apache-2.0
// Checks and converts the picture of an engine.
#include "host/worker/picture.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace roundhouse::host {
namespace {

std::string size_text(std::uint64_t width, std::uint64_t height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

std::uint64_t pixel_bytes(std::uint32_t format) {
  switch (format) {
    case RH_PIXELS_RGB_U8:
      return 3;
    case RH_PIXELS_GRAY_U8:
      return 1;
    case RH_PIXELS_RGB_F32:
      return 3 * sizeof(float);
    default:
      throw Error(RH_ENGINE_BROKEN, "handed over a picture of unknown format " + std::to_string(format));
  }
}

void check_shape(const rh_pixels& pixels, std::uint32_t width, std::uint32_t height) {
  if (pixels.width != width || pixels.height != height) {
    throw Error(RH_ENGINE_BROKEN, "handed over a picture of " + size_text(pixels.width, pixels.height) +
                                      " pixels, expected " + size_text(width, height));
  }
  const std::uint64_t row = pixel_bytes(pixels.format) * width;
  if (pixels.row_bytes < row) {
    throw Error(RH_ENGINE_BROKEN, "handed over a picture with " + std::to_string(pixels.row_bytes) +
                                      " bytes a row, expected at least " + std::to_string(row));
  }
  // row_bytes * height without overflow.
  if (pixels.data == nullptr || pixels.size_bytes / pixels.row_bytes < height) {
    throw Error(RH_ENGINE_BROKEN, "handed over a picture with " + std::to_string(pixels.size_bytes) +
                                      " bytes of data, expected " + std::to_string(height) + " rows of " +
                                      std::to_string(pixels.row_bytes));
  }
}

// Converts one row of f32 and returns how many samples are not finite.
std::uint64_t convert_row(const std::uint8_t* source, std::size_t samples, std::uint8_t* target) {
  std::uint64_t bad = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    float value;
    std::memcpy(&value, source + i * sizeof value, sizeof value);
    if (!std::isfinite(value)) {
      ++bad;
      value = 0;
    }
    target[i] = static_cast<std::uint8_t>(std::nearbyint(std::clamp(value, 0.0F, 1.0F) * 255.0F));
  }
  return bad;
}

}  // namespace

Picture checked_picture(const rh_pixels* pixels, std::uint32_t width, std::uint32_t height) {
  if (pixels == nullptr || pixels->struct_size < sizeof(rh_pixels)) {
    throw Error(RH_ENGINE_BROKEN, "handed over no valid rh_pixels");
  }
  check_shape(*pixels, width, height);
  const std::size_t samples = std::size_t{3} * width;
  Picture picture{width, height, std::vector<std::uint8_t>(samples * height)};
  std::uint64_t bad = 0;
  for (std::uint32_t y = 0; y < height; ++y) {
    const auto* source = static_cast<const std::uint8_t*>(pixels->data) + y * pixels->row_bytes;
    std::uint8_t* target = picture.rgb.data() + y * samples;
    if (pixels->format == RH_PIXELS_RGB_U8) {
      std::copy_n(source, samples, target);
    } else if (pixels->format == RH_PIXELS_GRAY_U8) {
      for (std::size_t i = 0; i < samples; ++i)
        target[i] = source[i / 3];
    } else {
      bad += convert_row(source, samples, target);
    }
  }
  if (bad > 0) {
    throw Error(RH_PIPELINE_ERROR, "decode: " + std::to_string(bad) + " of " +
                                       std::to_string(samples * height) +
                                       " values of the picture are not finite");
  }
  return picture;
}

}  // namespace roundhouse::host
