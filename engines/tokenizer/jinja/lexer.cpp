// SPDX-License-Identifier: Apache-2.0
// The lexer: text until a tag opens, then tokens until it closes.
#include "engines/tokenizer/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "engines/tokenizer/jinja/runtime.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

using Kind = Token::Kind;

constexpr std::string_view blanks = " \t\n\r\f\v";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
// Letters beyond ASCII are taken as they are.
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Line ends as \n, without the last one.
std::string normalize_lines(std::string_view source) {
  std::string lines;
  lines.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      lines += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      lines += source[i];
    }
  }
  if (lines.ends_with('\n')) lines.pop_back();
  return lines;
}

// The value of a string literal, without its quotes: Python's escapes.
class Unescaper {
 public:
  Unescaper(std::string_view text, int line) : text_(text), line_(line) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (text_[at_] != '\\')
        out_ += text_[at_++];
      else
        escape();
    }
    return std::move(out_);
  }

 private:
  void escape() {
    const char c = text_[at_ + 1];  // the lexer saw to it that a backslash is not the last
    at_ += 2;
    static constexpr std::string_view letters = "\\'\"abfnrtv";
    static constexpr std::string_view meanings = "\\'\"\a\b\f\n\r\t\v";
    if (const auto known = letters.find(c); known != std::string_view::npos) {
      out_ += meanings[known];
    } else if (c == '\n') {
      return;  // a line continues
    } else if (c == 'x' || c == 'u' || c == 'U') {
      code_point(16, c == 'x' ? 2 : c == 'u' ? 4 : 8, true);
    } else if (c >= '0' && c <= '7') {
      --at_;
      code_point(8, 3, false);
    } else {
      out_ += '\\';
      out_ += c;
    }
  }

  void code_point(unsigned base, int most, bool exact) {
    char32_t value = 0;
    int digits = 0;
    for (; digits < most && at_ < text_.size(); ++digits, ++at_) {
      const int digit = digit_value(text_[at_]);
      if (digit < 0 || digit >= static_cast<int>(base)) break;
      value = value * base + static_cast<char32_t>(digit);
    }
    if ((exact && digits < most) || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      fail_at(line_, "a string has an escape that is not a character");
    unicode::append_utf8(out_, value);
  }

  static int digit_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }

  std::string_view text_;
  int line_;
  std::size_t at_ = 0;
  std::string out_;
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    while (at_ < source_.size())
      text_and_tag();
    push(Kind::end, "");
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }
  bool starts(std::string_view text) const { return rest().starts_with(text); }

  void push(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  void advance(std::size_t count) {
    const auto passed = rest().substr(0, count);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
  }

  // Where the next "{{", "{%" or "{#" begins.
  std::size_t next_open() const {
    std::size_t open = source_.find('{', at_);
    while (open != std::string_view::npos) {
      const char kind = open + 1 < source_.size() ? source_[open + 1] : '\0';
      if (kind == '{' || kind == '%' || kind == '#') break;
      open = source_.find('{', open + 1);
    }
    return open;
  }

  void text_and_tag() {
    const std::size_t open = next_open();
    if (open == std::string_view::npos) {
      text(rest().size(), '+', false);
      return;
    }
    const char kind = source_[open + 1];
    const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
    const bool has_sign = sign == '-' || sign == '+';
    text(open - at_, sign, kind != '{');
    advance(has_sign ? 3 : 2);
    if (kind == '#') return comment();
    if (kind == '%' && is_tag("raw")) return raw();
    push(kind == '{' ? Kind::variable_begin : Kind::block_begin, "");
    tag(kind == '{' ? "}}" : "%}", kind == '{' ? Kind::variable_end : Kind::block_end);
  }

  // Text of `count` bytes before a tag whose sign is `sign`.
  void text(std::size_t count, char sign, bool may_strip_line) {
    std::string_view data = rest().substr(0, count);
    const std::string_view all = data;
    if (sign == '-') {
      const auto last = data.find_last_not_of(blanks);
      data = data.substr(0, last == std::string_view::npos ? 0 : last + 1);
    } else if (sign != '+' && may_strip_line) {
      const auto newline = data.rfind('\n');
      const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
      const bool begins_line = newline != std::string_view::npos || at_line_start_;
      if (begins_line && data.find_first_not_of(blanks, line_begin) == std::string_view::npos)
        data = data.substr(0, line_begin);
    }
    if (!data.empty()) push(Kind::data, std::string(data));
    advance(all.size());
  }

  // Passes the end of a tag: "-" drops all white space that follows, and a block drops one line end.
  void close(std::size_t length, bool strip, bool trim) {
    advance(length);
    const std::size_t begin = at_;
    if (strip) {
      const auto next = rest().find_first_not_of(blanks);
      advance(next == std::string_view::npos ? rest().size() : next);
    } else if (trim && starts("\n")) {
      advance(1);
    }
    at_line_start_ = at_ > begin && source_[at_ - 1] == '\n';
  }

  void comment() {
    const auto end = source_.find("#}", at_);
    if (end == std::string_view::npos) fail_at(line_, "a comment is not closed");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    close(end + 2 - at_, sign == '-', sign != '+');
  }

  // Whether the tag that has just been opened consists of `name` alone.
  bool is_tag(std::string_view name) const { return tag_end(at_, name) != std::string_view::npos; }

  // Where "%}" of a tag begins (or the sign before it) whose inside begins at `at`; npos if it is not `name`.
  std::size_t tag_end(std::size_t at, std::string_view name) const {
    at = source_.find_first_not_of(blanks, at);
    if (at == std::string_view::npos || !source_.substr(at).starts_with(name)) return std::string_view::npos;
    at = source_.find_first_not_of(blanks, at + name.size());
    if (at == std::string_view::npos) return at;
    const auto tail = source_.substr(at);
    return tail.starts_with("%}") || tail.starts_with("-%}") || tail.starts_with("+%}")
               ? at
               : std::string_view::npos;
  }

  void close_named(std::string_view name, bool trim) {
    const std::size_t end = tag_end(at_, name);
    const char sign = source_[end];
    close(end - at_ + (sign == '%' ? 2 : 3), sign == '-', trim && sign != '+');
  }

  void raw() {
    const int begin_line = line_;
    close_named("raw", false);
    std::size_t open = at_;
    while ((open = source_.find("{%", open)) != std::string_view::npos) {
      const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
      const std::size_t inside = open + (sign == '-' || sign == '+' ? 3 : 2);
      if (tag_end(inside, "endraw") != std::string_view::npos) {
        text(open - at_, sign, true);
        advance(inside - open);
        close_named("endraw", true);
        return;
      }
      open += 2;
    }
    fail_at(begin_line, "'raw' is not closed");
  }

  // The tokens of a tag and its end, which counts only outside all brackets.
  void tag(std::string_view end, Kind end_kind) {
    const bool block = end_kind == Kind::block_end;
    std::string brackets;
    while (true) {
      const auto next = rest().find_first_not_of(blanks);
      if (next == std::string_view::npos)
        fail_at(line_, "a tag is not closed, expected '" + std::string(end) + "'");
      advance(next);
      if (brackets.empty()) {
        const bool sign = (starts("-") || (block && starts("+"))) && rest().substr(1).starts_with(end);
        if (sign || starts(end)) {
          push(end_kind, "");
          const bool strip = sign && starts("-");
          close(sign ? 3 : 2, strip, block && !sign);
          return;
        }
      }
      token(brackets);
    }
  }

  void token(std::string& brackets) {
    const char c = source_[at_];
    if (is_name_start(c))
      take(Kind::name, [](char x) { return is_name_start(x) || is_digit(x); });
    else if (is_digit(c))
      number();
    else if (c == '\'' || c == '"')
      string(c);
    else
      symbol(brackets);
  }

  template <class Belongs>
  void take(Kind kind, Belongs belongs) {
    std::size_t end = at_;
    while (end < source_.size() && belongs(source_[end]))
      ++end;
    push(kind, std::string(source_.substr(at_, end - at_)));
    at_ = end;
  }

  // Digits with an optional fraction and exponent.
  void number() {
    std::size_t end = at_;
    const auto digits = [&] {
      while (end < source_.size() && is_digit(source_[end]))
        ++end;
    };
    const auto digit_at = [&](std::size_t i) { return i < source_.size() && is_digit(source_[i]); };
    digits();
    Kind kind = Kind::integer;
    if (end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
      kind = Kind::real;
      ++end;
      digits();
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const bool sign = end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-');
      if (digit_at(end + (sign ? 2 : 1))) {
        kind = Kind::real;
        end += sign ? 2 : 1;
        digits();
      }
    }
    push(kind, std::string(source_.substr(at_, end - at_)));
    at_ = end;
  }

  void string(char quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote)
      end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) fail_at(line_, "a string is not closed");
    push(Kind::string, Unescaper(source_.substr(at_ + 1, end - at_ - 1), line_).run());
    advance(end + 1 - at_);
  }

  void symbol(std::string& brackets) {
    static constexpr std::array<std::string_view, 6> pairs{"**", "//", "==", "!=", "<=", ">="};
    for (const auto pair : pairs) {
      if (starts(pair)) {
        push(Kind::symbol, std::string(pair));
        at_ += 2;
        return;
      }
    }
    const char c = source_[at_];
    if (std::string_view("+-*/%~[](){}<>=.:|,").find(c) == std::string_view::npos)
      fail_at(line_, "unexpected character " + in_quotes(std::string(1, c)));
    if (c == '(') brackets += ')';
    if (c == '[') brackets += ']';
    if (c == '{') brackets += '}';
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty() || brackets.back() != c) fail_at(line_, "unexpected '" + std::string(1, c) + "'");
      brackets.pop_back();
    }
    push(Kind::symbol, std::string(1, c));
    ++at_;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;  // whether the last tag's end took a line end along
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  const std::string lines = normalize_lines(source);
  return Lexer(lines).run();
}

}  // namespace engines::jinja
