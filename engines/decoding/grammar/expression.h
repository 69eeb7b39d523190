// SPDX-License-Identifier: Apache-2.0
// Grammars over bytes: expressions that refer to rules, as trees.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engines::decoding {

struct Expression;
using Expr = std::shared_ptr<const Expression>;
using ByteSet = std::bitset<256>;

struct Expression {
  enum class Kind { bytes, sequence, choice, repeat, rule };
  Kind kind = Kind::sequence;  // an empty one is the empty text
  ByteSet bytes;               // one of them
  std::vector<Expr> parts;     // of sequence and choice; the first one is repeated
  std::uint32_t least = 0, most = 0;
  std::size_t rule = 0;
};

constexpr std::uint32_t kNoLimit = UINT32_MAX;

Expr one_of(const ByteSet& bytes);
Expr literal(std::string_view text);
Expr sequence(std::vector<Expr> parts);
Expr choice(std::vector<Expr> parts);  // of no parts: nothing fits
Expr repeat(Expr part, std::uint32_t least, std::uint32_t most);
Expr rule(std::size_t index);

// Code points, first and last of each range.
using CharRanges = std::vector<std::pair<char32_t, char32_t>>;
// Sorted, without overlaps; those that are no characters (surrogates, beyond U+10FFFF) are left out.
CharRanges normal(CharRanges ranges);
CharRanges all_but(const CharRanges& ranges);
// The UTF-8 of one of these characters.
Expr character(const CharRanges& ranges);

struct Grammar {
  std::vector<Expr> rules;  // a text is what rule 0 says
};

}  // namespace engines::decoding
