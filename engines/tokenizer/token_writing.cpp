// SPDX-License-Identifier: Apache-2.0
#include "engines/tokenizer/token_writing.h"

#include "engines/tokenizer/byte_alphabet.h"

namespace engines {
namespace {

void add_component(const nlohmann::json& component, TokenWriting& writing) {
  if (!component.is_object()) return;
  const std::string type = component.value("type", "");
  if (type == "ByteLevel") writing.alphabet = true;
  if (type == "ByteFallback") writing.byte_tokens = true;
  if (type == "Metaspace") writing.space = component.value("replacement", "\u2581");
  if (type == "Replace" && component.value("content", "") == " " && component["pattern"].contains("String"))
    writing.space = component["pattern"]["String"].get<std::string>();
  if (type == "Sequence") {
    for (const nlohmann::json& part : component["decoders"])
      add_component(part, writing);
  }
}

}  // namespace

std::optional<char> byte_of_token(std::string_view token) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const auto digit = [&](char c) {
    return digits.find(c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c);
  };
  const auto high = digit(token[3]), low = digit(token[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high << 4 | low);
}

std::string TokenWriting::bytes(const std::string& token) const {
  if (alphabet) return from_byte_alphabet(token).value_or(token);
  if (const auto byte = byte_tokens ? byte_of_token(token) : std::nullopt) return {*byte};
  if (space.empty()) return token;
  std::string text = token;
  for (std::size_t at = text.find(space); at != std::string::npos; at = text.find(space, at + 1))
    text.replace(at, space.size(), " ");
  return text;
}

TokenWriting writing_of(const nlohmann::json& decoder) {
  TokenWriting writing;
  add_component(decoder, writing);
  return writing;
}

}  // namespace engines
