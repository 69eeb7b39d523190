// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/regex_grammar.h"

#include <fmt/format.h>

#include <utility>

#include "engines/tensor/error.h"
#include "engines/tokenizer/unicode.h"

namespace engines::decoding {
namespace {

constexpr std::uint32_t kMostRegexRepeats = 4096;
constexpr int kDeepestRegexGroup = 64;

const CharRanges kDigits{{'0', '9'}};
const CharRanges kWord{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CharRanges kSpaces{{'\t', '\r'}, {' ', ' '}};
const CharRanges kLineEnds{{'\n', '\n'}, {'\r', '\r'}};

class RegexReader {
 public:
  RegexReader(std::string_view pattern, const std::string& place, const CharWriter& write)
      : rest_(pattern), place_(place), write_(write) {}

  Expr whole(bool anywhere) {
    const Expr any = repeat(write_(all_but({})), 0, kNoLimit);
    std::vector<Expr> ways;
    do {
      std::vector<Expr> parts;
      const bool begins = take('^');
      if (anywhere && !begins) parts.push_back(any);
      bool ends = false;
      parts.push_back(terms(ends));
      if (anywhere && !ends) parts.push_back(any);
      ways.push_back(sequence(std::move(parts)));
    } while (take('|'));
    if (!rest_.empty()) fail("has a ) too many");
    return choice(std::move(ways));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: {}", place_, what));
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  char32_t next() {
    const auto c = unicode::decode_first(rest_);
    if (c.bytes == 0) fail(rest_.empty() ? "ends too early" : "is not valid UTF-8");
    rest_.remove_prefix(c.bytes);
    return c.value;
  }

  // Up to '|', ')' or the end. `ends`: there was a $ at its end.
  Expr terms(bool& ends) {
    std::vector<Expr> parts;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      if (take('$')) {
        if (!rest_.empty() && rest_.front() != '|') fail("has a $ that is not at the end");
        ends = true;
        break;
      }
      parts.push_back(repeated(atom()));
    }
    return sequence(std::move(parts));
  }

  Expr group() {
    if (++depth_ > kDeepestRegexGroup) fail("is nested too deeply");
    if (take("?")) {
      if (take("<") || take("P<")) {
        if (rest_.starts_with('=') || rest_.starts_with('!')) fail("looks around, which is not supported");
        while (!take('>'))
          next();
      } else if (!take(":")) {
        fail("has a group of a kind that is not supported");
      }
    }
    std::vector<Expr> ways;
    do {
      bool ends = false;
      ways.push_back(terms(ends));
      if (ends) fail("has a $ within a group");
    } while (take('|'));
    if (!take(')')) fail("has a ( that is not closed");
    --depth_;
    return choice(std::move(ways));
  }

  Expr atom() {
    if (take('(')) return group();
    if (take('[')) return write_(set());
    if (take('.')) return write_(all_but(kLineEnds));
    if (take('\\')) return write_(escape(false));
    if (rest_.starts_with('*') || rest_.starts_with('+') || rest_.starts_with('?')) fail("repeats nothing");
    if (rest_.starts_with('^')) fail("has a ^ that is not at the beginning");
    const char32_t c = next();
    return write_({{c, c}});
  }

  Expr repeated(Expr part) {
    for (;;) {
      if (take('*'))
        part = repeat(std::move(part), 0, kNoLimit);
      else if (take('+'))
        part = repeat(std::move(part), 1, kNoLimit);
      else if (take('?'))
        part = repeat(std::move(part), 0, 1);
      else if (rest_.starts_with('{') && rest_.size() > 1 && rest_[1] >= '0' && rest_[1] <= '9')
        part = counted(std::move(part));
      else
        return part;
      if (take('+')) fail("has a possessive repetition, which is not supported");
      take('?');  // lazy: the same texts
    }
  }

  Expr counted(Expr part) {
    take('{');
    const std::uint32_t least = number();
    std::uint32_t most = least;
    if (take(',')) most = rest_.starts_with('}') ? kNoLimit : number();
    if (!take('}') || most < least) fail("has a damaged count of repetitions");
    return repeat(std::move(part), least, most);
  }

  std::uint32_t number() {
    std::uint32_t value = 0;
    bool some = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value = value * 10 + static_cast<std::uint32_t>(rest_.front() - '0');
      if (value > kMostRegexRepeats) fail(fmt::format("repeats more than {} times", kMostRegexRepeats));
      rest_.remove_prefix(1);
      some = true;
    }
    if (!some) fail("has a damaged count of repetitions");
    return value;
  }

  CharRanges escape(bool in_set) {
    const char32_t c = next();
    switch (c) {
      case 'd':
        return kDigits;
      case 'D':
        return all_but(kDigits);
      case 'w':
        return kWord;
      case 'W':
        return all_but(kWord);
      case 's':
        return kSpaces;
      case 'S':
        return all_but(kSpaces);
      case 'n':
        return {{'\n', '\n'}};
      case 't':
        return {{'\t', '\t'}};
      case 'r':
        return {{'\r', '\r'}};
      case 'f':
        return {{'\f', '\f'}};
      case 'v':
        return {{'\v', '\v'}};
      case '0':
        return {{0, 0}};
      case 'x':
        return hex(2);
      case 'u':
        return hex(4);
      case 'b':
        if (in_set) return {{'\b', '\b'}};
        break;
      default:
        break;
    }
    const bool word =
        c < 0x80 && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    if (word) fail(fmt::format("has \\{}, which is not supported", static_cast<char>(c)));
    return {{c, c}};
  }

  CharRanges hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t c = next();
      const int digit = c >= '0' && c <= '9'   ? static_cast<int>(c - '0')
                        : c >= 'a' && c <= 'f' ? static_cast<int>(c - 'a' + 10)
                        : c >= 'A' && c <= 'F' ? static_cast<int>(c - 'A' + 10)
                                               : -1;
      if (digit < 0) fail("has a damaged escape");
      value = value * 16 + static_cast<char32_t>(digit);
    }
    return {{value, value}};
  }

  CharRanges set() {
    const bool inverted = take('^');
    CharRanges ranges;
    while (!take(']')) {
      CharRanges first = take('\\') ? escape(true) : CharRanges{{next(), 0}};
      if (first.size() == 1 && first[0].second == 0) first[0].second = first[0].first;
      const bool single = first.size() == 1 && first[0].first == first[0].second;
      if (single && rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
        take('-');
        const CharRanges last = take('\\') ? escape(true) : CharRanges{{next(), 0}};
        const char32_t end = last[0].first;
        if (last.size() != 1 || end < first[0].first) fail("has a damaged range");
        first[0].second = end;
      }
      ranges.insert(ranges.end(), first.begin(), first.end());
    }
    return inverted ? all_but(ranges) : normal(ranges);
  }

  std::string_view rest_;
  const std::string& place_;
  const CharWriter& write_;
  int depth_ = 0;
};

}  // namespace

Expr regex(std::string_view pattern, const std::string& place, const CharWriter& write, bool anywhere) {
  return RegexReader(pattern, place, write).whole(anywhere);
}

}  // namespace engines::decoding
