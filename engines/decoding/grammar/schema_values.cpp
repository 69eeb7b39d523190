// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/schema_values.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "engines/decoding/grammar/schema_grammar.h"

namespace engines::decoding {
namespace {

Expr comma() {
  return sequence({literal(","), json_space()});
}

Expr optional(Expr part) {
  return repeat(std::move(part), 0, 1);
}

Expr digit(char first) {
  return character({{static_cast<char32_t>(first), '9'}});
}

std::uint32_t fewer(std::uint32_t count, std::uint32_t by) {
  return count == kNoLimit ? kNoLimit : count - std::min(count, by);
}

// What stands between brackets, with the space around it.
Expr between(const char* open, Expr inner, const char* close) {
  return sequence({literal(open), json_space(), std::move(inner), json_space(), literal(close)});
}

Expr tuple_from(const std::vector<Expr>& first, const Expr& rest, std::uint32_t least, std::uint32_t most,
                std::uint32_t i) {
  if (i >= most) return sequence({});
  const Expr separator = i == 0 ? sequence({}) : comma();
  if (i >= first.size()) {
    if (!rest) return sequence({});
    return repeat(sequence({separator, rest}), least > i ? least - i : 0, fewer(most, i));
  }
  Expr from = sequence({separator, first[i], tuple_from(first, rest, least, most, i + 1)});
  return i < least ? from : optional(std::move(from));
}

// Members from i on, of which none comes before.
Expr members_from(const std::vector<JsonMember>& members, const std::vector<Expr>& behind, const Expr& others,
                  std::size_t i) {
  if (i == members.size()) {
    if (!others) return sequence({});
    return optional(sequence({others, repeat(sequence({comma(), others}), 0, kNoLimit)}));
  }
  const std::vector<Expr> tail(behind.begin() + static_cast<std::ptrdiff_t>(i) + 1, behind.end());
  Expr present = sequence({members[i].expression, sequence(tail)});
  if (members[i].required) return present;
  return choice({std::move(present), members_from(members, behind, others, i + 1)});
}

// A name character by character: none of `names`, which begin alike up to here.
Expr name_but(const std::vector<std::u32string>& names, std::size_t at, const Expr& any) {
  std::map<char32_t, std::vector<std::u32string>> next;
  bool ends = false;
  for (const std::u32string& name : names) {
    if (name.size() == at)
      ends = true;
    else
      next[name[at]].push_back(name);
  }
  // Others are written as they are: an escape might spell one of the names.
  CharRanges taken{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  std::vector<Expr> ways;
  if (!ends) ways.push_back(literal("\""));
  for (const auto& [c, rest] : next) {
    taken.emplace_back(c, c);
    if (c >= 0x20 && c != '"' && c != '\\')
      ways.push_back(sequence({character({{c, c}}), name_but(rest, at + 1, any)}));
  }
  ways.push_back(sequence({character(all_but(taken)), any, literal("\"")}));
  return choice(std::move(ways));
}

std::u32string characters(std::string_view text) {
  std::u32string all;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t count = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = count == 1 ? lead : lead & (0x7FU >> count);
    for (std::size_t j = 1; j < count && i + j < text.size(); ++j)
      c = c << 6U | (static_cast<unsigned char>(text[i + j]) & 0x3FU);
    all += c;
    i += count;
  }
  return all;
}

}  // namespace

Expr json_space() {
  constexpr std::uint32_t indent = 16;
  return optional(choice({literal(" "), sequence({literal("\n"), repeat(literal(" "), 0, indent)})}));
}

Expr json_string(std::uint32_t least, std::uint32_t most) {
  return sequence({literal("\""), repeat(rule(kStringCharacter), least, most), literal("\"")});
}

Expr json_number() {
  const Expr whole = choice({literal("0"), sequence({digit('1'), repeat(digit('0'), 0, 14)})});
  const Expr fraction = sequence({literal("."), repeat(digit('0'), 1, 15)});
  const Expr exponent = sequence({character({{'e', 'e'}, {'E', 'E'}}),
                                  optional(character({{'+', '+'}, {'-', '-'}})), repeat(digit('0'), 1, 2)});
  return sequence({optional(literal("-")), whole, optional(fraction), optional(exponent)});
}

Expr json_list(const Expr& item, std::uint32_t least, std::uint32_t most) {
  if (most == 0) return between("[", sequence({}), "]");
  Expr items = sequence({item, repeat(sequence({comma(), item}), fewer(least, 1), fewer(most, 1))});
  return between("[", least == 0 ? optional(std::move(items)) : std::move(items), "]");
}

Expr json_tuple(const std::vector<Expr>& first, const Expr& rest, std::uint32_t least, std::uint32_t most) {
  return between("[", tuple_from(first, rest, least, most, 0), "]");
}

Expr json_members(const std::vector<JsonMember>& members, const Expr& others) {
  std::vector<Expr> behind;  // each with a comma, and what comes last
  for (const JsonMember& member : members) {
    Expr with_comma = sequence({comma(), member.expression});
    behind.push_back(member.required ? std::move(with_comma) : optional(std::move(with_comma)));
  }
  if (others) behind.push_back(repeat(sequence({comma(), others}), 0, kNoLimit));
  return between("{", members_from(members, behind, others, 0), "}");
}

Expr json_name_but(const std::vector<std::string>& names) {
  std::vector<std::u32string> all;
  for (const std::string& name : names)
    all.push_back(characters(name));
  const Expr plain = character(all_but({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}));
  return sequence({literal("\""), name_but(all, 0, repeat(plain, 0, kNoLimit))});
}

}  // namespace engines::decoding
