// SPDX-License-Identifier: Apache-2.0
// How a vocabulary writes the bytes of its tokens.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace engines {

struct TokenWriting {
  bool alphabet = false;     // a character a byte
  bool byte_tokens = false;  // "<0x0A>" is a byte
  std::string space;         // what stands for a space; empty = itself

  std::string bytes(const std::string& token) const;
};

// As the decoder of tokenizer.json says, which was checked.
TokenWriting writing_of(const nlohmann::json& decoder);

// The byte of a token "<0x0A>".
std::optional<char> byte_of_token(std::string_view token);

}  // namespace engines
