// SPDX-License-Identifier: Apache-2.0
// Names that are the same in any case, as those of protocols are: A to Z only, whatever the locale says.
#pragma once

#include <string>
#include <string_view>

namespace roundhouse::host {

std::string lowered(std::string_view text);

}  // namespace roundhouse::host
