// SPDX-License-Identifier: Apache-2.0
// What encode_image.cpp is made of: one encoder a format. Each takes an image whose samples are as many as
// its size says.
#pragma once

#include <cstdint>
#include <vector>

#include "host/images/encode_image.h"

namespace roundhouse::host {

// Each text is a tEXt chunk when Latin-1 allows, else an iTXt chunk.
std::vector<std::uint8_t> encode_png(const Image& image, const ImageTexts& texts);

// As EXIF and XMP. A block of them above 64 KiB, which a JPEG has no room for, is left out.
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality, const ImageTexts& texts);

// Lossy at every quality. As EXIF and XMP.
std::vector<std::uint8_t> encode_webp(const Image& image, int quality, const ImageTexts& texts);

}  // namespace roundhouse::host
