// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/gbnf.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "engines/tensor/error.h"
#include "engines/tokenizer/unicode.h"

namespace engines::decoding {
namespace {

constexpr std::uint32_t kMostRepeats = 4096;
constexpr int kDeepestGroup = 64;
constexpr std::size_t kLargest = std::size_t{1} << 20;

class GbnfReader {
 public:
  explicit GbnfReader(const std::string& text) : text_(text), rest_(text) { index_of("root"); }

  Grammar read() {
    for (skip(true); !rest_.empty(); skip(true)) {
      const std::size_t index = index_of(name());
      skip(true);
      if (!take("::=")) fail("expected ::=");
      if (rules_[index]) fail("defines a rule twice");
      skip(true);
      rules_[index] = ways(false);
    }
    for (const auto& [name, index] : indices_)
      if (!rules_[index]) fail(fmt::format("has no rule '{}'", name));
    return {rules_};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    const auto line =
        1 + std::count(text_.begin(), text_.end() - static_cast<std::ptrdiff_t>(rest_.size()), '\n');
    throw Error(RH_INVALID_ARGUMENT, fmt::format("grammar: line {}: {}", line, what));
  }

  // White space and comments; line ends where they do not end a rule.
  void skip(bool lines) {
    for (;;) {
      if (rest_.starts_with('#'))
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      else if (!rest_.empty() &&
               (rest_[0] == ' ' || rest_[0] == '\t' || (lines && (rest_[0] == '\n' || rest_[0] == '\r'))))
        rest_.remove_prefix(1);
      else
        return;
    }
  }
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  char32_t next() {
    const auto c = unicode::decode_first(rest_);
    if (c.bytes == 0) fail(rest_.empty() ? "ends too early" : "is not valid UTF-8");
    rest_.remove_prefix(c.bytes);
    return c.value;
  }

  static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }
  std::string name() {
    std::size_t length = 0;
    while (length < rest_.size() && in_name(rest_[length]))
      ++length;
    if (length == 0) fail("expected the name of a rule");
    std::string found(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return found;
  }
  std::size_t index_of(const std::string& name) {
    const auto [place, fresh] = indices_.emplace(name, rules_.size());
    if (fresh) rules_.emplace_back();
    return place->second;
  }

  Expr ways(bool nested) {
    std::vector<Expr> all;
    do {
      skip(true);
      all.push_back(terms(nested));
    } while (take("|"));
    return choice(std::move(all));
  }

  // Whether a rule begins here: name ::=
  bool at_rule() {
    const std::string_view kept = rest_;
    std::size_t length = 0;
    while (length < rest_.size() && in_name(rest_[length]))
      ++length;
    rest_.remove_prefix(length);
    skip(true);
    const bool found = length > 0 && rest_.starts_with("::=");
    rest_ = kept;
    return found;
  }

  Expr terms(bool nested) {
    std::vector<Expr> parts;
    for (skip(nested); !rest_.empty(); skip(nested)) {
      const char c = rest_.front();
      if (c == '|' || c == ')') break;
      if (c == '\n' || c == '\r') {
        // An alternative may go on in the next line.
        const std::string_view kept = rest_;
        skip(true);
        if (!rest_.starts_with('|')) {
          rest_ = kept;
          break;
        }
        continue;
      }
      if (in_name(c) && at_rule()) break;
      parts.push_back(repeated(atom()));
    }
    return sequence(std::move(parts));
  }

  Expr atom() {
    if (take("\"")) return quoted();
    if (take("[")) return set();
    if (take(".")) return character(all_but({}));
    if (take("(")) {
      if (++depth_ > kDeepestGroup) fail("is nested too deeply");
      const Expr inner = ways(true);
      skip(true);
      if (!take(")")) fail("has a ( that is not closed");
      --depth_;
      return inner;
    }
    return rule(index_of(name()));
  }

  Expr repeated(Expr part) {
    if (take("*")) return repeated(repeat(std::move(part), 0, kNoLimit));
    if (take("+")) return repeated(repeat(std::move(part), 1, kNoLimit));
    if (take("?")) return repeated(repeat(std::move(part), 0, 1));
    if (!take("{")) return part;
    const std::uint32_t least = rest_.starts_with(',') ? 0 : number();
    std::uint32_t most = least;
    if (take(",")) most = rest_.starts_with('}') ? kNoLimit : number();
    if (!take("}") || most < least) fail("has a damaged count of repetitions");
    return repeated(repeat(std::move(part), least, most));
  }

  std::uint32_t number() {
    std::uint32_t value = 0;
    bool some = false;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; some = true) {
      value = value * 10 + static_cast<std::uint32_t>(rest_.front() - '0');
      if (value > kMostRepeats) fail(fmt::format("repeats more than {} times", kMostRepeats));
      rest_.remove_prefix(1);
    }
    if (!some) fail("has a damaged count of repetitions");
    return value;
  }

  char32_t one() {
    const char32_t c = next();
    if (c != '\\') return c;
    const char32_t escaped = next();
    switch (escaped) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'x':
        return hex(2);
      case 'u':
        return hex(4);
      case 'U':
        return hex(8);
      default:
        return escaped;
    }
  }
  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t c = next();
      const std::size_t digit = c < 0x80
                                    ? std::string_view("0123456789abcdefABCDEF").find(static_cast<char>(c))
                                    : std::string_view::npos;
      if (digit == std::string_view::npos) fail("has a damaged escape");
      value = value * 16 + static_cast<char32_t>(digit > 15 ? digit - 6 : digit);
    }
    return value;
  }

  Expr quoted() {
    std::vector<Expr> parts;
    while (!take("\"")) {
      const char32_t c = one();
      parts.push_back(character({{c, c}}));
    }
    return sequence(std::move(parts));
  }

  Expr set() {
    const bool inverted = take("^");
    CharRanges ranges;
    while (!take("]")) {
      const char32_t first = one();
      char32_t last = first;
      if (rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
        take("-");
        last = one();
        if (last < first) fail("has a damaged range");
      }
      ranges.emplace_back(first, last);
    }
    return character(inverted ? all_but(ranges) : ranges);
  }

  const std::string& text_;
  std::string_view rest_;
  std::vector<Expr> rules_;
  std::map<std::string, std::size_t> indices_;
  int depth_ = 0;
};

}  // namespace

Grammar read_gbnf(const std::string& text) {
  if (text.size() > kLargest)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("grammar: has {} bytes, expected at most {}", text.size(), kLargest));
  return GbnfReader(text).read();
}

}  // namespace engines::decoding
