// SPDX-License-Identifier: Apache-2.0
// How JSON writes characters and whole numbers.
#include <fmt/format.h>

#include <algorithm>

#include "engines/decoding/grammar/schema_grammar.h"

namespace engines::decoding {
namespace {

bool has(const CharRanges& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [&](const auto& one) { return one.first <= c && c <= one.second; });
}

Expr digits(char first, char last) {
  ByteSet set;
  for (auto c = static_cast<unsigned char>(first); c <= static_cast<unsigned char>(last); ++c)
    set.set(c);
  return one_of(set);
}

std::string text_of(std::uint64_t value) {
  return fmt::format("{}", value);
}

}  // namespace

Expr digits_between(const std::string& low, const std::string& high) {
  if (low.empty()) return sequence({});
  const auto n = static_cast<std::uint32_t>(low.size() - 1);
  if (low[0] == high[0])
    return sequence({digits(low[0], low[0]), digits_between(low.substr(1), high.substr(1))});
  const std::string zeros(n, '0'), nines(n, '9');
  std::vector<Expr> ways;
  char first = low[0], last = high[0];
  if (low.substr(1) != zeros) {
    ways.push_back(sequence({digits(first, first), digits_between(low.substr(1), nines)}));
    ++first;
  }
  if (high.substr(1) != nines) {
    ways.push_back(sequence({digits(last, last), digits_between(zeros, high.substr(1))}));
    --last;
  }
  if (first <= last) ways.push_back(sequence({digits(first, last), repeat(digits('0', '9'), n, n)}));
  return choice(std::move(ways));
}

namespace {

Expr natural_range(std::uint64_t low, std::uint64_t high) {
  std::vector<Expr> ways;
  while (text_of(low).size() < text_of(high).size()) {
    const std::string nines(text_of(low).size(), '9');
    ways.push_back(digits_between(text_of(low), nines));
    low = std::stoull(nines) + 1;
  }
  ways.push_back(digits_between(text_of(low), text_of(high)));
  return choice(std::move(ways));
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

}  // namespace

Expr json_character(const CharRanges& given) {
  const CharRanges ranges = normal(given);
  CharRanges plain;
  std::vector<Expr> ways;
  constexpr std::pair<char32_t, const char*> escapes[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"},
                                                          {'\f', "\\f"}, {'\n', "\\n"},  {'\r', "\\r"},
                                                          {'\t', "\\t"}};
  for (const auto& [c, written] : escapes)
    if (has(ranges, c)) ways.push_back(literal(written));
  for (char32_t c = 0; c < 0x20; ++c) {
    const bool named = std::ranges::any_of(escapes, [&](const auto& one) { return one.first == c; });
    if (!named && has(ranges, c)) ways.push_back(literal(fmt::format("\\u{:04x}", static_cast<unsigned>(c))));
  }
  // What is written as it is: the rest.
  const CharRanges escaped = all_but({{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0x10FFFF}});
  CharRanges others = all_but(ranges);
  others.insert(others.end(), escaped.begin(), escaped.end());
  if (const CharRanges left = all_but(others); !left.empty()) ways.push_back(character(left));
  return choice(std::move(ways));
}

Expr integer_range(std::int64_t low, std::int64_t high) {
  std::vector<Expr> ways;
  if (low < 0)
    ways.push_back(sequence({literal("-"), natural_range(high < 0 ? magnitude(high) : 1, magnitude(low))}));
  if (high >= 0) ways.push_back(natural_range(low < 0 ? 0 : magnitude(low), magnitude(high)));
  return choice(std::move(ways));
}

}  // namespace engines::decoding
