// SPDX-License-Identifier: Apache-2.0
// What tokenizing needs of Unicode: decoding UTF-8, the classes of its regular expressions, normalization
// forms.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace engines::unicode {

// The classes that the published split patterns tell apart: \p{L}, \p{N}, [\r\n], the rest of \s, all else.
enum class CharClass : unsigned char { letter, number, newline, space, other };

CharClass class_of(char32_t c);
bool is_space(char32_t c);  // White_Space, as \s matches it
bool is_word(char32_t c);   // as \w matches it

struct Decoded {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0 when the text does not begin with a valid sequence, or is empty
};
Decoded decode_first(std::string_view text);
// The last character of text that is valid UTF-8.
Decoded decode_last(std::string_view text);

void append_utf8(std::string& text, char32_t c);

// The first byte that is not part of valid UTF-8, or npos.
std::size_t first_invalid(std::string_view text);

// Every maximal part of an ill-formed sequence becomes one U+FFFD (the Unicode standard's recommendation).
std::string replace_invalid(std::string_view bytes);

// How many bytes at the end may still become a character when more come: 0 to 3.
std::size_t unfinished_tail(std::string_view bytes);

// Normalization forms of valid UTF-8; they take time proportional to n log n at worst.
std::string nfc(std::string_view text);
std::string nfd(std::string_view text);
std::string nfkc(std::string_view text);
std::string nfkd(std::string_view text);

// General categories: M, Mn, P, N; Cc, Cf and Co together.
bool is_mark(char32_t c);
bool is_nonspacing_mark(char32_t c);
bool is_punctuation(char32_t c);
bool is_number(char32_t c);
bool is_other(char32_t c);

// Every character in lower case.
std::string lower_text(std::string_view text);

char32_t to_lower(char32_t c);
char32_t to_upper(char32_t c);
bool is_lower(char32_t c);
bool is_upper(char32_t c);

// Valid UTF-8 character by character: `append(c, out)` writes what becomes of each.
template <class Append>
std::string map(std::string_view text, const Append& append) {
  std::string out;
  out.reserve(text.size());
  for (Decoded c = decode_first(text); c.bytes > 0; c = decode_first(text)) {
    append(c.value, out);
    text.remove_prefix(c.bytes);
  }
  return out;
}

}  // namespace engines::unicode
