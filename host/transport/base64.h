// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648, with padding): how credentials and images travel inside text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roundhouse::host {

std::string base64_encoded(std::string_view bytes);

// None for what is no base64: other characters, spaces and line breaks, or a length that is no multiple of
// four.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace roundhouse::host
