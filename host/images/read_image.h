// SPDX-License-Identifier: Apache-2.0
// Image files of strangers as pixels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/images/image_format.h"
#include "host/task/image.h"

namespace roundhouse::host {

// Width times height of the largest image that is read: 8192 x 8192, or a camera's 65 megapixels.
inline constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 26;

// An image as it is looked at: sRGB, 8 bits a sample, turned as EXIF says.
struct DecodedImage {
  Image image;
  std::vector<std::uint8_t> alpha;  // width * height, 255 = opaque; empty where the file has none
  ImageFormat format = ImageFormat::png;
  std::vector<std::string> notes;  // what of the file was not taken: the later frames of an animation
};

// Reads PNG (every depth and kind, interlaced, tRNS, sRGB, gAMA, cHRM, iCCP), JPEG (grey, YCbCr, RGB, CMYK,
// YCCK, progressive, EXIF, ICC) and WebP (lossy, lossless, with alpha, EXIF and ICC; of an animation the
// first frame). The first bytes say which one it is. Colours of another space become sRGB with relative
// colorimetric intent; a profile that cannot be used is ignored with a note.
// Throws INVALID_ARGUMENT, its message beginning with `field`, for another kind of file, one that is damaged
// or ends early (with the place), and one of more than `most_pixels`, before anything is decoded;
// OUT_OF_MEMORY. Any thread.
DecodedImage read_image(std::string_view bytes, const std::string& field,
                        std::uint64_t most_pixels = kMostPixels);

// The texts in a file of any of these formats, without decoding its pixels; see png_texts.h for PNG. Throws
// INVALID_ARGUMENT for another kind of file and for a damaged one.
ImageTexts read_image_texts(std::string_view bytes, const std::string& field);

}  // namespace roundhouse::host
