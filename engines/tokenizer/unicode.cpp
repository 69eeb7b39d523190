// SPDX-License-Identifier: Apache-2.0
// Unicode by way of utf8proc.
#include "engines/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

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

int combining_class(utf8proc_int32_t c) {
  return utf8proc_get_property(c)->combining_class;
}

// Canonical decomposition without reordering.
std::vector<utf8proc_int32_t> decompose(std::string_view text) {
  std::vector<utf8proc_int32_t> all;
  all.reserve(text.size() / 2);
  std::array<utf8proc_int32_t, 64> parts{};
  int boundary = 0;
  while (!text.empty()) {
    const auto [c, bytes] = decode_first(text);
    assert(bytes > 0);
    const auto count = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary);
    assert(count > 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()));
    all.insert(all.end(), parts.begin(), parts.begin() + count);
    text.remove_prefix(bytes);
  }
  return all;
}

// utf8proc_decompose reorders by a sort that is quadratic in the length of a run of marks; this is not.
void reorder_marks(std::vector<utf8proc_int32_t>& all) {
  const auto is_mark = [](utf8proc_int32_t c) { return combining_class(c) != 0; };
  const auto earlier = [](utf8proc_int32_t a, utf8proc_int32_t b) {
    return combining_class(a) < combining_class(b);
  };
  auto begin = all.begin();
  while ((begin = std::find_if(begin, all.end(), is_mark)) != all.end()) {
    const auto end = std::find_if_not(begin, all.end(), is_mark);
    std::stable_sort(begin, end, earlier);
    begin = end;
  }
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

bool is_word(char32_t c) {
  const auto kind = category(c);
  return (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NL) || kind == UTF8PROC_CATEGORY_PC ||
         c == 0x200C || c == 0x200D;
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

std::string nfc(std::string_view text) {
  // Nothing below U+0300 (whose UTF-8 begins with 0xCC) composes or decomposes under NFC.
  const bool inert = std::all_of(text.begin(), text.end(),
                                 [](char byte) { return static_cast<unsigned char>(byte) < 0xCC; });
  if (inert) return std::string(text);
  auto all = decompose(text);
  reorder_marks(all);
  const auto count =
      utf8proc_normalize_utf32(all.data(), static_cast<utf8proc_ssize_t>(all.size()),
                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::string composed;
  composed.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    append_utf8(composed, static_cast<char32_t>(all[static_cast<std::size_t>(i)]));
  return composed;
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
