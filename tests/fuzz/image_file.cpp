// SPDX-License-Identifier: Apache-2.0
// The readers of image files.
#include "host/images/read_image.h"
#include "roundhouse/error.hpp"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace roundhouse;
  constexpr std::uint64_t kPixels = std::uint64_t{1} << 18;  // of which a run makes thousands
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const host::DecodedImage read = host::read_image(bytes, "image", kPixels);
    const std::uint64_t pixels = std::uint64_t{read.image.width} * read.image.height;
    fuzz::require(pixels > 0 && pixels <= kPixels, "an image has pixels, and not too many");
    fuzz::require(read.image.rgb.size() == 3 * pixels, "three samples a pixel");
    fuzz::require(read.alpha.empty() || read.alpha.size() == pixels, "alpha for every pixel or none");
  } catch (const Error&) {
  }
  try {
    host::read_image_texts(bytes, "image");
  } catch (const Error&) {
  }
  return 0;
}
