// SPDX-License-Identifier: Apache-2.0
#include "host/images/png_chunks.h"

#include <fmt/format.h>
#include <png.h>

namespace roundhouse::host {

PngChunks scan_png_chunks(std::string_view bytes) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // length, type and checksum
  PngChunks chunks;
  std::string_view rest = bytes.substr(kSignature);
  bool ended = false;
  while (rest.size() >= kAround && !ended) {
    const std::size_t length = png_get_uint_32(reinterpret_cast<png_const_bytep>(rest.data()));
    const std::string_view type = rest.substr(4, 4);
    if (length > rest.size() - kAround) break;
    chunks.animated = chunks.animated || type == "acTL";
    ended = type == "IEND";
    rest.remove_prefix(length + kAround);
  }
  if (!ended) {
    chunks.fault = fmt::format("it ends too early, after {} bytes, in the chunk at byte {}", bytes.size(),
                               bytes.size() - rest.size());
  }
  return chunks;
}

}  // namespace roundhouse::host
