// SPDX-License-Identifier: Apache-2.0
// Texts of strangers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace roundhouse::host {

// At most `limit` bytes of it, as printable ASCII on one line; everything else becomes '?'.
inline std::string printable(std::string_view text, std::size_t limit) {
  std::string plain;
  for (const char c : text.substr(0, limit))
    plain += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ? '?' : c;
  return plain;
}

// A member that is text; empty for all others.
inline std::string text_member(const nlohmann::json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

}  // namespace roundhouse::host
