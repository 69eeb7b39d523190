// SPDX-License-Identifier: Apache-2.0
// The chunks of a PNG file before libpng sees them: it would make room for what they claim.
#pragma once

#include <string>
#include <string_view>

namespace roundhouse::host {

struct PngChunks {
  std::string fault;      // what is wrong with the file as far as its chunks tell, or empty
  bool animated = false;  // has an acTL chunk: the image itself is the first frame or stands for all
};

// `bytes` begin as a PNG file does.
PngChunks scan_png_chunks(std::string_view bytes);

}  // namespace roundhouse::host
