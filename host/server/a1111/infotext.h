// SPDX-License-Identifier: Apache-2.0
// The text that images of that world carry, read again.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace roundhouse::host::a1111 {

// "Prompt", "Negative prompt", then the pairs of the last line in their order; of "Size: 512x256" also
// "Size-1" and "Size-2". The last line counts as pairs only where it has three or more.
std::vector<std::pair<std::string, std::string>> parse_infotext(const std::string& text);

}  // namespace roundhouse::host::a1111
