// SPDX-License-Identifier: Apache-2.0
// Where a listing goes on: the Link header of RFC 8288.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roundhouse::host {

// The target of the first link whose relation is "next", as written. What cannot be read ends the field, as
// nothing after it can be trusted; none is left then. Takes time in proportion to the field's length, and no
// stack: a server decides how long a field is.
std::optional<std::string> next_link(std::string_view field);

}  // namespace roundhouse::host
