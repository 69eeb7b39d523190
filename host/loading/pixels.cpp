// SPDX-License-Identifier: Apache-2.0
// Checks of rh_pixels.
#include "host/loading/pixels.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "host/loading/plugin_error.h"

namespace roundhouse::host {
namespace {

std::uint64_t pixel_bytes(std::uint32_t format) {
  switch (format) {
    case RH_PIXELS_RGB_U8:
      return 3;
    case RH_PIXELS_GRAY_U8:
      return 1;
    case RH_PIXELS_RGB_F32:
      return 3 * sizeof(float);
    default:
      return 0;
  }
}

std::string size_text(std::uint32_t width, std::uint32_t height) {
  return fmt::format("{}x{}", width, height);
}

struct BadValues {
  std::uint64_t count = 0;
  std::uint64_t first = 0;  // index of the value: (row * width + column) * 3 + channel
};

BadValues find_bad_values(const rh_pixels& pixels) {
  BadValues bad;
  const std::uint64_t values = std::uint64_t{pixels.width} * 3;
  for (std::uint64_t row = 0; row < pixels.height; ++row) {
    const auto* data = static_cast<const unsigned char*>(pixels.data) + row * pixels.row_bytes;
    for (std::uint64_t i = 0; i < values; ++i) {
      float value = 0;  // rows of a stranger need not be aligned
      std::memcpy(&value, data + i * sizeof value, sizeof value);
      if (std::isfinite(value)) continue;
      if (bad.count++ == 0) bad.first = row * values + i;
    }
  }
  return bad;
}

void check_finite(const std::string& engine, const std::string& stage, const std::string& name,
                  const rh_pixels& pixels) {
  if (pixels.format != RH_PIXELS_RGB_F32) return;
  const BadValues bad = find_bad_values(pixels);
  if (bad.count == 0) return;
  const std::uint64_t pixel = bad.first / 3;
  throw Error(RH_PIPELINE_ERROR,
              fmt::format("engine '{}': {}: {} of {} values of the {} are not finite, the first at row {}, "
                          "column {}, channel {}",
                          engine, stage, bad.count, std::uint64_t{3} * pixels.width * pixels.height, name,
                          pixel / pixels.width, pixel % pixels.width, bad.first % 3));
}

}  // namespace

void check_pixels(const std::string& engine, const std::string& name, const rh_pixels* pixels) {
  check_record(engine, rule::kRecords, name, pixels);
  const std::uint64_t pixel = pixel_bytes(pixels->format);
  if (pixel == 0) {
    throw broken(engine, rule::kImage,
                 fmt::format("{} has format {}, expected one of RH_PIXELS_*", name, pixels->format));
  }
  if (pixels->width == 0 || pixels->height == 0) {
    throw broken(engine, rule::kImage, name + " has " + size_text(pixels->width, pixels->height) + " pixels");
  }
  if (pixels->data == nullptr) throw broken(engine, rule::kImage, name + ": data is NULL");
  const std::uint64_t row = pixel * pixels->width;
  if (pixels->row_bytes < row) {
    throw broken(engine, rule::kImage,
                 fmt::format("{}: row_bytes is {}, expected at least {}", name, pixels->row_bytes, row));
  }
  // row_bytes * height might overflow; this cannot.
  if (pixels->size_bytes / pixels->height < pixels->row_bytes) {
    throw broken(engine, rule::kImage,
                 fmt::format("{}: size_bytes is {}, expected {} rows of {}", name, pixels->size_bytes,
                             pixels->height, pixels->row_bytes));
  }
}

void check_image(const std::string& engine, const rh_pixels& pixels, const rh_image_request& request) {
  if (pixels.width != request.width || pixels.height != request.height) {
    throw broken(engine, rule::kImage,
                 "the image is " + size_text(pixels.width, pixels.height) + ", expected " +
                     size_text(request.width, request.height));
  }
  check_finite(engine, "decode", "image", pixels);
}

void check_preview(const std::string& engine, const rh_pixels& pixels, const rh_image_request& request) {
  if (pixels.width > request.width || pixels.height > request.height) {
    throw broken(engine, rule::kPreview,
                 "the preview is " + size_text(pixels.width, pixels.height) + ", expected at most " +
                     size_text(request.width, request.height));
  }
  check_finite(engine, "denoise", "preview", pixels);
}

}  // namespace roundhouse::host
