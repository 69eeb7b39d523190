// SPDX-License-Identifier: Apache-2.0
// JPEG as 8-bit sRGB.
#include <fmt/format.h>

#include "host/images/colour.h"
#include "host/images/decoders.h"
#include "host/images/file_texts.h"
#include "host/images/jpeg_decoder.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

[[noreturn]] void refuse_jpeg(const std::string& why) {
  throw Error(RH_INVALID_ARGUMENT, "is a damaged JPEG: " + why);
}

J_COLOR_SPACE space_to_read(J_COLOR_SPACE stored) {
  if (stored == JCS_GRAYSCALE) return JCS_GRAYSCALE;
  return stored == JCS_CMYK || stored == JCS_YCCK ? JCS_CMYK : JCS_RGB;
}

// A row of a file without a profile, as RGB. `ink_up`: 255 is full ink.
void plain_row(const std::uint8_t* row, J_COLOR_SPACE space, bool ink_up, std::uint32_t width,
               std::uint8_t* rgb) {
  for (std::uint32_t x = 0; x < width; ++x) {
    if (space == JCS_GRAYSCALE) {
      rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = row[x];
      continue;
    }
    for (std::uint32_t c = 0; c < 3; ++c) {
      if (space == JCS_RGB) {
        rgb[3 * x + c] = row[3 * x + c];
        continue;
      }
      // What is left of the light behind the ink and behind the black.
      const unsigned light = ink_up ? 255U - row[4 * x + c] : row[4 * x + c];
      const unsigned black = ink_up ? 255U - row[4 * x + 3] : row[4 * x + 3];
      rgb[3 * x + c] = static_cast<std::uint8_t>((light * black + 127) / 255);
    }
  }
}

SampleForm samples_of(J_COLOR_SPACE space, bool ink_up) {
  if (space == JCS_GRAYSCALE) return SampleForm::gray8;
  if (space == JCS_RGB) return SampleForm::rgb8;
  return ink_up ? SampleForm::cmyk8 : SampleForm::cmyk8_inverted;
}

}  // namespace

RawImage decode_jpeg(std::string_view bytes, std::uint64_t most_pixels) {
  JpegDecoder decoder(bytes);
  if (!decoder.read_head()) refuse_jpeg(decoder.message());
  const jpeg_decompress_struct& info = decoder.info();
  if (const std::string fault = size_fault(info.image_width, info.image_height, most_pixels); !fault.empty())
    throw Error(RH_INVALID_ARGUMENT, fault);
  const J_COLOR_SPACE space = space_to_read(info.jpeg_color_space);
  const bool ink_up = info.saw_Adobe_marker == FALSE;
  RawImage raw;
  DecodedImage& decoded = raw.decoded;
  decoded.format = ImageFormat::jpeg;
  decoded.image.width = info.image_width;
  decoded.image.height = info.image_height;
  raw.exif = decoder.exif();
  std::unique_ptr<ColourTransform> colours;
  if (const std::string icc = decoder.icc(); !icc.empty()) {
    colours = ColourTransform::of_profile(icc, samples_of(space, ink_up));
    if (!colours) decoded.notes.emplace_back("its colour profile cannot be used");
  }
  if (!decoder.begin(space)) refuse_jpeg(decoder.message());
  const std::uint32_t width = decoded.image.width, height = decoded.image.height;
  std::vector<std::uint8_t> row(std::size_t{width} * static_cast<std::size_t>(info.output_components));
  for (std::uint32_t y = 0; y < height; ++y) {
    if (!decoder.read_row(row.data()))
      refuse_jpeg(fmt::format("row {} of {}: {}", y + 1, height, decoder.message()));
    const std::size_t at = decoded.image.rgb.size();
    decoded.image.rgb.resize(at + std::size_t{3} * width);
    if (colours) {
      colours->row(row.data(), decoded.image.rgb.data() + at, width);
    } else {
      plain_row(row.data(), space, ink_up, width, decoded.image.rgb.data() + at);
    }
  }
  return raw;
}

ImageTexts jpeg_texts(std::string_view bytes) {
  JpegDecoder decoder(bytes);
  if (!decoder.read_head()) refuse_jpeg(decoder.message());
  ImageTexts texts = texts_of_exif(decoder.exif());
  for (auto& text : texts_of_xmp(decoder.xmp()))
    texts.push_back(std::move(text));
  return texts;
}

}  // namespace roundhouse::host
