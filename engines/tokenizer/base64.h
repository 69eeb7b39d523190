// SPDX-License-Identifier: Apache-2.0
// Base64, as tokenizer.json writes bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace engines {

// Nothing where the text is not base64 (RFC 4648, padded).
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace engines
