// SPDX-License-Identifier: Apache-2.0
#include "host/text/letters.h"

#include <algorithm>

namespace roundhouse::host {

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

}  // namespace roundhouse::host
