// SPDX-License-Identifier: Apache-2.0
// Which decoder, and the image as it is looked at.
#include "host/images/read_image.h"

#include <fmt/format.h>

#include <new>

#include "host/images/decoders.h"
#include "host/images/file_texts.h"
#include "host/images/png_texts.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

ImageFormat known_format(std::string_view bytes) {
  const auto format = format_of_bytes(bytes);
  if (!format) throw Error(RH_INVALID_ARGUMENT, "is not a PNG, JPEG or WebP image");
  return *format;
}

RawImage decode(std::string_view bytes, std::uint64_t most_pixels) {
  switch (known_format(bytes)) {
    case ImageFormat::png:
      return decode_png(bytes, most_pixels);
    case ImageFormat::jpeg:
      return decode_jpeg(bytes, most_pixels);
    case ImageFormat::webp:
      return decode_webp(bytes, most_pixels);
  }
  return {};
}

// The decoders' messages go on after the name of what holds the image.
template <typename Function>
auto named(const std::string& field, const Function& function) {
  try {
    return function();
  } catch (const Error& error) {
    throw Error(error.code(), field + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw Error(RH_OUT_OF_MEMORY, field + ": no memory to decode it");
  }
}

// Where the pixel (x, y) of the stored image goes, by EXIF's table of the side that row 0 and column 0 are.
std::size_t place_of(int orientation, std::size_t x, std::size_t y, std::size_t width, std::size_t height) {
  const std::size_t right = width - 1 - x, below = height - 1 - y;
  switch (orientation) {
    case 2:
      return y * width + right;
    case 3:
      return below * width + right;
    case 4:
      return below * width + x;
    case 5:
      return x * height + y;
    case 6:
      return x * height + below;
    case 7:
      return right * height + below;
    case 8:
      return right * height + y;
    default:
      return y * width + x;
  }
}

}  // namespace

std::string size_fault(std::uint64_t width, std::uint64_t height, std::uint64_t most_pixels) {
  if (width == 0 || height == 0) return fmt::format("is {}x{}: a side of 0 pixels", width, height);
  if (width <= most_pixels / height) return {};
  return fmt::format("is {}x{}, expected at most {} pixels", width, height, most_pixels);
}

void turn(DecodedImage& decoded, int orientation) {
  if (orientation < 2 || orientation > 8) return;
  const std::size_t width = decoded.image.width, height = decoded.image.height;
  const std::vector<std::uint8_t> rgb = std::move(decoded.image.rgb), alpha = std::move(decoded.alpha);
  decoded.image.rgb.assign(rgb.size(), 0);
  decoded.alpha.assign(alpha.size(), 0);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t from = y * width + x, to = place_of(orientation, x, y, width, height);
      for (std::size_t c = 0; c < 3; ++c)
        decoded.image.rgb[3 * to + c] = rgb[3 * from + c];
      if (!alpha.empty()) decoded.alpha[to] = alpha[from];
    }
  }
  if (orientation >= 5) std::swap(decoded.image.width, decoded.image.height);
}

DecodedImage read_image(std::string_view bytes, const std::string& field, std::uint64_t most_pixels) {
  return named(field, [&] {
    RawImage raw = decode(bytes, most_pixels);
    turn(raw.decoded, orientation_of_exif(raw.exif));
    return std::move(raw.decoded);
  });
}

ImageTexts read_image_texts(std::string_view bytes, const std::string& field) {
  return named(field, [&] {
    switch (known_format(bytes)) {
      case ImageFormat::png:
        return read_png_texts(bytes);
      case ImageFormat::jpeg:
        return jpeg_texts(bytes);
      case ImageFormat::webp:
        return webp_texts(bytes);
    }
    return ImageTexts{};
  });
}

}  // namespace roundhouse::host
