// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/expression.h"

#include <algorithm>
#include <utility>

namespace engines::decoding {
namespace {

constexpr char32_t kLast = 0x10FFFF;
using Kind = Expression::Kind;

Expr made(Expression expression) {
  return std::make_shared<const Expression>(std::move(expression));
}

ByteSet range(unsigned first, unsigned last) {
  ByteSet set;
  for (unsigned byte = first; byte <= last; ++byte)
    set.set(byte);
  return set;
}

// Characters first..last whose UTF-8 has `count` bytes, of which all but the last `same` continuation bytes
// range freely: split until each byte of the sequence is a range of its own.
void add_range(char32_t first, char32_t last, int count, std::vector<Expr>& out) {
  for (int i = 1; i < count; ++i) {
    const char32_t mask = (char32_t{1} << (6 * i)) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      add_range(first, first | mask, count, out);
      return add_range((first | mask) + 1, last, count, out);
    }
    if ((last & mask) != mask) {
      add_range(first, (last & ~mask) - 1, count, out);
      return add_range(last & ~mask, last, count, out);
    }
  }
  const unsigned lead = count == 1 ? 0 : count == 2 ? 0xC0 : count == 3 ? 0xE0 : 0xF0;
  std::vector<Expr> bytes;
  for (int i = count - 1; i >= 0; --i) {
    const unsigned high = i == count - 1 ? lead : 0x80;
    const char32_t bits = i == count - 1 ? 0x7F : 0x3F;
    bytes.push_back(one_of(range(high | static_cast<unsigned>((first >> (6 * i)) & bits),
                                 high | static_cast<unsigned>((last >> (6 * i)) & bits))));
  }
  out.push_back(sequence(std::move(bytes)));
}

}  // namespace

Expr one_of(const ByteSet& bytes) {
  Expression expression;
  expression.kind = Kind::bytes;
  expression.bytes = bytes;
  return made(std::move(expression));
}

Expr literal(std::string_view text) {
  std::vector<Expr> parts;
  for (const char byte : text)
    parts.push_back(one_of(range(static_cast<unsigned char>(byte), static_cast<unsigned char>(byte))));
  return sequence(std::move(parts));
}

Expr sequence(std::vector<Expr> parts) {
  if (parts.size() == 1) return parts.front();
  Expression expression;
  expression.parts = std::move(parts);
  return made(std::move(expression));
}

Expr choice(std::vector<Expr> parts) {
  if (parts.size() == 1) return parts.front();
  Expression expression;
  expression.kind = Kind::choice;
  expression.parts = std::move(parts);
  return made(std::move(expression));
}

Expr repeat(Expr part, std::uint32_t least, std::uint32_t most) {
  Expression expression;
  expression.kind = Kind::repeat;
  expression.parts = {std::move(part)};
  expression.least = least;
  expression.most = most;
  return made(std::move(expression));
}

Expr rule(std::size_t index) {
  Expression expression;
  expression.kind = Kind::rule;
  expression.rule = index;
  return made(std::move(expression));
}

CharRanges normal(CharRanges ranges) {
  CharRanges valid;
  for (auto [first, last] : ranges) {
    last = std::min(last, kLast);
    if (first > last) continue;
    if (first < 0xD800) valid.emplace_back(first, std::min<char32_t>(last, 0xD7FF));
    if (last > 0xDFFF) valid.emplace_back(std::max<char32_t>(first, 0xE000), last);
  }
  std::ranges::sort(valid);
  CharRanges merged;
  for (const auto& one : valid) {
    if (!merged.empty() && one.first <= merged.back().second + 1)
      merged.back().second = std::max(merged.back().second, one.second);
    else
      merged.push_back(one);
  }
  return merged;
}

CharRanges all_but(const CharRanges& ranges) {
  CharRanges left;
  char32_t next = 0;
  for (const auto& [first, last] : normal(ranges)) {
    if (first > next) left.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= kLast) left.emplace_back(next, kLast);
  return normal(left);
}

Expr character(const CharRanges& ranges) {
  ByteSet ascii;
  std::vector<Expr> parts;
  for (const auto& [from, to] : normal(ranges)) {
    char32_t first = from;
    const std::pair<char32_t, int> ends[] = {{0x7F, 1}, {0x7FF, 2}, {0xFFFF, 3}, {kLast, 4}};
    for (const auto& [end, count] : ends) {
      if (first > to || first > end) continue;
      const char32_t last = std::min(to, end);
      if (count == 1)
        ascii |= range(static_cast<unsigned>(first), static_cast<unsigned>(last));
      else
        add_range(first, last, count, parts);
      first = last + 1;
    }
  }
  if (ascii.any()) parts.push_back(one_of(ascii));
  return choice(std::move(parts));
}

}  // namespace engines::decoding
