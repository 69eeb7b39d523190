// SPDX-License-Identifier: Apache-2.0
// The alphabet and its inverse.
#include "engines/tokenizer/byte_alphabet.h"

#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr char32_t first_substitute = 0x100;

// The character of each byte.
constexpr std::array<char32_t, 256> characters = [] {
  std::array<char32_t, 256> table{};
  char32_t next = first_substitute;
  for (unsigned byte = 0; byte < 256; ++byte)
    table[byte] = stands_for_itself(byte) ? byte : next++;
  return table;
}();

// The byte of each character, or -1. The alphabet ends at U+0143.
constexpr std::array<int, 0x144> bytes_of_characters = [] {
  std::array<int, 0x144> table{};
  for (auto& byte : table)
    byte = -1;
  for (int byte = 0; byte < 256; ++byte)
    table[characters[static_cast<std::size_t>(byte)]] = byte;
  return table;
}();

}  // namespace

const std::array<std::string, 256>& byte_alphabet() {
  static const auto alphabet = [] {
    std::array<std::string, 256> table;
    for (std::size_t byte = 0; byte < table.size(); ++byte)
      unicode::append_utf8(table[byte], characters[byte]);
    return table;
  }();
  return alphabet;
}

void append_byte_alphabet(std::string_view bytes, std::string& text) {
  const auto& alphabet = byte_alphabet();
  for (const char byte : bytes) {
    // Most stand for themselves.
    if (byte > 0x20 && byte < 0x7F)
      text += byte;
    else
      text += alphabet[static_cast<unsigned char>(byte)];
  }
}

std::string to_byte_alphabet(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  append_byte_alphabet(bytes, text);
  return text;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const auto [c, length] = unicode::decode_first(text);
    if (length == 0 || c >= bytes_of_characters.size() || bytes_of_characters[c] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(bytes_of_characters[c]));
    text.remove_prefix(length);
  }
  return bytes;
}

}  // namespace engines
