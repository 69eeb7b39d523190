// SPDX-License-Identifier: Apache-2.0
// GPT-2's alphabet: a printable character for each byte, so that a vocabulary of bytes can be written as
// text.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace engines {

// The character of a byte, as UTF-8: itself for printable ASCII and most of Latin-1, U+0100 and up for the
// others in ascending order (so a space is U+0120).
const std::array<std::string, 256>& byte_alphabet();

// Each byte as its character.
std::string to_byte_alphabet(std::string_view bytes);
void append_byte_alphabet(std::string_view bytes, std::string& text);

// The bytes that UTF-8 text in the alphabet stands for; nothing when a character is not of the alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace engines
