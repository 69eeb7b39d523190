// SPDX-License-Identifier: Apache-2.0
// What read_image.cpp is made of: one decoder a format, which knows neither EXIF nor the names of fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/images/read_image.h"

namespace roundhouse::host {

// What a decoder found besides the pixels.
struct RawImage {
  DecodedImage decoded;
  std::string exif;  // a TIFF structure, without "Exif\0\0"; empty: none
};

// "is 10000x10000, ...": what is wrong with that size, or empty.
std::string size_fault(std::uint64_t width, std::uint64_t height, std::uint64_t most_pixels);

// Each throws INVALID_ARGUMENT with a message that goes on after "FIELD: ".
RawImage decode_png(std::string_view bytes, std::uint64_t most_pixels);
RawImage decode_jpeg(std::string_view bytes, std::uint64_t most_pixels);
RawImage decode_webp(std::string_view bytes, std::uint64_t most_pixels);

// Texts of the file without its pixels.
ImageTexts jpeg_texts(std::string_view bytes);
ImageTexts webp_texts(std::string_view bytes);

// Turns pixels and alpha as EXIF's orientation says (1 to 8).
void turn(DecodedImage& decoded, int orientation);

}  // namespace roundhouse::host
