// SPDX-License-Identifier: Apache-2.0
// The images that a request brings along, as the pipelines take them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>

#include "engines/pipeline/pipeline.h"
#include "roundhouse/image.hpp"

namespace roundhouse::pipeline {

template <class Value>
const Value* row_of(const rh_pixels& pixels, std::uint32_t y) {
  return reinterpret_cast<const Value*>(static_cast<const std::byte*>(pixels.data) + y * pixels.row_bytes);
}

// Throws INVALID_DIMENSION and INVALID_ARGUMENT, naming the image.
inline void check_input(const rh_pixels& pixels, const ImageRequest& request, const char* name,
                        std::initializer_list<std::uint32_t> formats) {
  if (pixels.width != request.width || pixels.height != request.height) {
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("{}: is {}x{}, expected the {}x{} of the image", name, pixels.width,
                            pixels.height, request.width, request.height));
  }
  if (std::ranges::find(formats, pixels.format) == formats.end())
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: format {} is not read", name, pixels.format));
}

// None for a request without an image to begin with. Throws INVALID_ARGUMENT for a mask alone, and as
// check_input.
inline std::optional<engines::InitImage> translate_init(const ImageRequest& from) {
  if (from.init_image == nullptr) {
    if (from.mask != nullptr) throw Error(RH_INVALID_ARGUMENT, "mask: without init_image");
    return std::nullopt;
  }
  const rh_pixels& pixels = *from.init_image;
  check_input(pixels, from, "init_image", {RH_PIXELS_RGB_U8, RH_PIXELS_RGB_F32});
  engines::InitImage init;
  init.strength = from.strength;
  const std::size_t samples = std::size_t{3} * pixels.width;
  for (std::uint32_t y = 0; y < pixels.height; ++y) {
    if (pixels.format == RH_PIXELS_RGB_F32) {
      const auto* row = row_of<float>(pixels, y);
      init.rgb.insert(init.rgb.end(), row, row + samples);
    } else {
      const auto* row = row_of<std::uint8_t>(pixels, y);
      std::transform(row, row + samples, std::back_inserter(init.rgb),
                     [](std::uint8_t level) { return static_cast<float>(level) / 255; });
    }
  }
  if (from.mask == nullptr) return init;
  check_input(*from.mask, from, "mask", {RH_PIXELS_GRAY_U8});
  for (std::uint32_t y = 0; y < from.mask->height; ++y) {
    const auto* row = row_of<std::uint8_t>(*from.mask, y);
    init.mask.insert(init.mask.end(), row, row + from.mask->width);
  }
  return init;
}

}  // namespace roundhouse::pipeline
