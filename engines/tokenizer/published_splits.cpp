// SPDX-License-Identifier: Apache-2.0
// The published split patterns as hand-written scanners. Each alternative of a pattern is one function that
// returns where its match ends; the first one that matches wins, as in the regular expression.
#include "engines/tokenizer/published_splits.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "engines/tokenizer/tokenizer_spec.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

using unicode::CharClass;

constexpr std::string_view gpt2_expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class Scanner {
 public:
  Scanner(std::string_view text, SplitRules rules) : rules_(rules) {
    chars_.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
      const auto [value, bytes] = unicode::decode_first(text.substr(at));
      chars_.push_back({value, static_cast<std::uint8_t>(bytes), unicode::class_of(value)});
      at += std::max<std::size_t>(bytes, 1);
    }
  }

  std::vector<std::string_view> split(std::string_view text) const {
    std::vector<std::string_view> pieces;
    std::size_t at = 0;
    while (at < chars_.size()) {
      const std::size_t end = next_end(at);
      std::size_t bytes = 0;
      for (; at < end; ++at)
        bytes += chars_[at].bytes;
      pieces.push_back(text.substr(0, bytes));
      text.remove_prefix(bytes);
    }
    return pieces;
  }

 private:
  struct Char {
    char32_t value;
    std::uint8_t bytes;
    CharClass kind;
  };
  static constexpr std::size_t none = 0;  // no match: a match never ends at the beginning of the text

  std::size_t next_end(std::size_t at) const {
    const auto alternatives = rules_ == SplitRules::gpt2
                                  ? std::array{&Scanner::contraction, &Scanner::spaced_letters,
                                               &Scanner::spaced_numbers, &Scanner::signs}
                                  : std::array{&Scanner::contraction, &Scanner::prefixed_letters,
                                               &Scanner::numbers, &Scanner::signs};
    for (const auto alternative : alternatives) {
      if (const auto end = (this->*alternative)(at); end != none) return end;
    }
    return spaces(at);
  }

  bool is(std::size_t at, CharClass kind) const { return at < chars_.size() && chars_[at].kind == kind; }
  bool blank(std::size_t at) const { return is(at, CharClass::space) || is(at, CharClass::newline); }
  std::size_t run(std::size_t at, CharClass kind) const {
    while (is(at, kind))
      ++at;
    return at;
  }

  // Whether `c` matches the lower-case letter: in the newer patterns also as a capital or a long s.
  bool matches(char32_t c, char letter) const {
    if (c == static_cast<char32_t>(letter)) return true;
    if (rules_ == SplitRules::gpt2) return false;
    return c == static_cast<char32_t>(letter - 'a' + 'A') || (letter == 's' && c == 0x17F);
  }

  // 's|'t|'re|'ve|'m|'ll|'d
  std::size_t contraction(std::size_t at) const {
    if (chars_[at].value != U'\'') return none;
    for (const std::string_view letters : {"s", "t", "re", "ve", "m", "ll", "d"}) {
      std::size_t matched = 0;
      while (matched < letters.size() && at + 1 + matched < chars_.size() &&
             matches(chars_[at + 1 + matched].value, letters[matched]))
        ++matched;
      if (matched == letters.size()) return at + 1 + matched;
    }
    return none;
  }

  // [^\r\n\p{L}\p{N}]?\p{L}+
  std::size_t prefixed_letters(std::size_t at) const {
    const bool prefix = is(at, CharClass::space) || is(at, CharClass::other);
    const std::size_t first = prefix ? at + 1 : at;
    return is(first, CharClass::letter) ? run(first, CharClass::letter) : none;
  }

  // \p{N} or \p{N}{1,3}
  std::size_t numbers(std::size_t at) const {
    const std::size_t most = rules_ == SplitRules::llama3 ? 3 : 1;
    std::size_t end = at;
    while (end - at < most && is(end, CharClass::number))
      ++end;
    return end > at ? end : none;
  }

  // " ?" and one or more of a class.
  std::size_t spaced(std::size_t at, CharClass kind) const {
    const std::size_t first = chars_[at].value == U' ' ? at + 1 : at;
    return is(first, kind) ? run(first, kind) : none;
  }
  std::size_t spaced_letters(std::size_t at) const { return spaced(at, CharClass::letter); }
  std::size_t spaced_numbers(std::size_t at) const { return spaced(at, CharClass::number); }

  //  ?[^\s\p{L}\p{N}]+[\r\n]*, without the line ends in GPT-2's
  std::size_t signs(std::size_t at) const {
    const std::size_t end = spaced(at, CharClass::other);
    return end == none || rules_ == SplitRules::gpt2 ? end : run(end, CharClass::newline);
  }

  // \s*[\r\n]+|\s+(?!\S)|\s+, without the first in GPT-2's
  std::size_t spaces(std::size_t at) const {
    std::size_t end = at;
    std::size_t after_newline = none;
    for (; blank(end); ++end) {
      if (is(end, CharClass::newline)) after_newline = end + 1;
    }
    if (after_newline != none && rules_ != SplitRules::gpt2) return after_newline;
    // The last blank is left to the word that follows, if it is not the only one.
    return end < chars_.size() && end - at > 1 ? end - 1 : end;
  }

  SplitRules rules_;
  std::vector<Char> chars_;
};

}  // namespace

const char* const qwen2_expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const llama3_expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::optional<SplitRules> rules_of_pattern(std::string_view regex) {
  if (regex == qwen2_expression) return SplitRules::qwen2;
  if (regex == llama3_expression) return SplitRules::llama3;
  if (regex == gpt2_expression) return SplitRules::gpt2;
  return std::nullopt;
}

std::vector<std::string_view> split_pieces(std::string_view text, SplitRules rules) {
  return Scanner(text, rules).split(text);
}

}  // namespace engines
