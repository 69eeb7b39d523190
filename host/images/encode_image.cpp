// SPDX-License-Identifier: Apache-2.0
#include "host/images/encode_image.h"

#include <fmt/format.h>

#include "host/images/encoders.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

std::vector<std::uint8_t> encode_image(const Image& image, const ImageEncoding& encoding,
                                       const ImageTexts& texts) {
  const std::size_t expected = std::size_t{image.width} * image.height * 3;
  if (image.width == 0 || image.height == 0 || image.rgb.size() != expected) {
    throw Error(RH_INTERNAL,
                fmt::format("{}: {} bytes for {}x{}, expected {} and no side 0", name_of(encoding.format),
                            image.rgb.size(), image.width, image.height, expected));
  }
  const int quality = encoding.quality.value_or(kUsualQuality);
  switch (encoding.format) {
    case ImageFormat::png:
      return encode_png(image, texts);
    case ImageFormat::jpeg:
      return encode_jpeg(image, quality, texts);
    case ImageFormat::webp:
      return encode_webp(image, quality, texts);
  }
  return {};
}

}  // namespace roundhouse::host
