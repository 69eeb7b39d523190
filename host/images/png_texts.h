// SPDX-License-Identifier: Apache-2.0
// The texts of a PNG of strangers, without its pixels.
#pragma once

#include <string_view>

#include "host/images/image_format.h"

namespace roundhouse::host {

// Every tEXt, zTXt and iTXt chunk in the order of the file; Latin-1 is converted to UTF-8, an iTXt that is
// not UTF-8 stays as it is. Throws INVALID_ARGUMENT, its
// message without the name of the field, for what is no complete PNG and for a side above 16384;
// texts beyond 4 MiB, unpacked, and those after the hundredth chunk are left out.
ImageTexts read_png_texts(std::string_view bytes);

}  // namespace roundhouse::host
