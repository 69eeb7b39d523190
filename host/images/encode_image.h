// SPDX-License-Identifier: Apache-2.0
// An image as the bytes of a file, with texts inside.
#pragma once

#include <cstdint>
#include <vector>

#include "host/images/image_format.h"
#include "host/task/image.h"

namespace roundhouse::host {

// The same image and texts give the same bytes. Throws INTERNAL for an image whose samples are not as many as
// its size says, OUT_OF_MEMORY, and INVALID_DIMENSION for a side that the format cannot say (16383 in WebP,
// 65500 in JPEG). In PNG each text
// is a tEXt chunk when Latin-1 allows, else an iTXt chunk; in JPEG and WebP they are EXIF and XMP
// (file_texts.h). WebP is lossy at every quality. Any thread.
std::vector<std::uint8_t> encode_image(const Image& image, const ImageEncoding& encoding,
                                       const ImageTexts& texts);

}  // namespace roundhouse::host
