// SPDX-License-Identifier: Apache-2.0
// Unicode by way of utf8proc.
#include "engines/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace engines::unicode {
namespace {

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

CharClass compute_class(char32_t c) {
  if (c == U'\r' || c == U'\n') return CharClass::newline;
  if (is_space(c)) return CharClass::space;
  const auto kind = category(c);
  if (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO) return CharClass::letter;
  if (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO) return CharClass::number;
  return CharClass::other;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The length of the longest start of a well-formed sequence at the beginning of ill-formed text, at least 1.
std::size_t maximal_part(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return 1;
  const std::size_t wanted = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (text.size() < 2 || byte(1) < low || byte(1) > high) return 1;
  std::size_t length = 2;
  while (length < wanted && length < text.size() && is_continuation(text[length]))
    ++length;
  return length;
}

}  // namespace

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

namespace {
// Symbols that Unicode calls alphabetic.
bool is_circled_letter(char32_t c) {
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
         (c >= 0x1F170 && c <= 0x1F189);
}
}  // namespace

bool is_word(char32_t c) {
  const auto kind = category(c);
  return (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NL) || kind == UTF8PROC_CATEGORY_PC ||
         c == 0x200C || c == 0x200D || is_circled_letter(c);
}

CharClass class_of(char32_t c) {
  static const auto ascii = [] {
    std::array<CharClass, 128> table{};
    for (char32_t i = 0; i < table.size(); ++i)
      table[i] = compute_class(i);
    return table;
  }();
  return c < ascii.size() ? ascii[c] : compute_class(c);
}

Decoded decode_first(std::string_view text) {
  if (text.empty()) return {};
  if (static_cast<unsigned char>(text[0]) < 0x80) return {static_cast<char32_t>(text[0]), 1};
  utf8proc_int32_t c = 0;
  const auto bytes =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size(), 4)), &c);
  if (bytes <= 0) return {};
  return {static_cast<char32_t>(c), static_cast<std::size_t>(bytes)};
}

Decoded decode_last(std::string_view text) {
  if (text.empty()) return {};
  std::size_t begin = text.size() - 1;
  while (begin > 0 && is_continuation(text[begin]))
    --begin;
  return decode_first(text.substr(begin));
}

void append_utf8(std::string& text, char32_t c) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto count = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(count));
}

std::size_t first_invalid(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto bytes = decode_first(text.substr(at)).bytes;
    if (bytes == 0) return at;
    at += bytes;
  }
  return std::string_view::npos;
}

std::string replace_invalid(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto valid = decode_first(bytes).bytes;
    if (valid > 0) {
      text.append(bytes.substr(0, valid));
      bytes.remove_prefix(valid);
    } else {
      text.append("\xEF\xBF\xBD");
      bytes.remove_prefix(maximal_part(bytes));
    }
  }
  return text;
}

std::size_t unfinished_tail(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(bytes.size(), 3); ++length) {
    const auto tail = bytes.substr(bytes.size() - length);
    if (is_continuation(tail[0])) continue;
    const auto lead = static_cast<unsigned char>(tail[0]);
    const std::size_t wanted = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length < wanted && maximal_part(tail) == length ? length : 0;
  }
  return 0;
}

bool is_mark(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME;
}
bool is_nonspacing_mark(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_MN;
}
bool is_punctuation(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}
bool is_number(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}
bool is_other(char32_t c) {
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_CO;
}

std::string lower_text(std::string_view text) {
  return map(text, [](char32_t c, std::string& out) {
    append_utf8(out, to_lower(c));
    // The one character whose lower case is two.
    if (c == 0x130) append_utf8(out, 0x307);
  });
}

char32_t to_lower(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}
char32_t to_upper(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
bool is_lower(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LL;
}
bool is_upper(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LU;
}

}  // namespace engines::unicode
