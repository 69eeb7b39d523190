// SPDX-License-Identifier: Apache-2.0
// Oniguruma's matches: that the hand-written scanners of published expressions are equal to it, and its
// limits.
#include <chrono>
#include <random>

#include "../weights/temporary_folder.h"
#include "engines/tokenizer/pattern.h"
#include "engines/tokenizer/published_splits.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

const std::vector<std::string> kExpressions = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
};

std::vector<std::string> cut(const Pattern& pattern, const std::string& text) {
  std::vector<std::string> pieces;
  for (const auto& part : pattern.parts(text))
    if (part.begin < part.end) pieces.push_back(text.substr(part.begin, part.end - part.begin));
  return pieces;
}

std::vector<std::string> scan(const std::string& expression, const std::string& text) {
  const auto pieces = split_pieces(text, rules_of_pattern(expression).value());
  return {pieces.begin(), pieces.end()};
}

TEST(Patterns, HandWrittenScannersAreEqualToThemOnRandomTexts) {
  const std::vector<std::string> atoms = {"a",          "Z",
                                          "s",          "S",
                                          "'",          "ll",
                                          "VE",         " ",
                                          "  ",         "\n",
                                          "\r\n",       "\t",
                                          "1",          "23",
                                          "\u00bd",     "!",
                                          "_",          "-",
                                          "\u00e9",     "e\u0301",
                                          "\u4e2d",     "\u3000",
                                          "\u00a0",     "\u0085",
                                          "\u2028",     "\u0915\u094d",
                                          "\U0001F600", "\u200d",
                                          "\u017f",     "\u0130",
                                          "\u0660",     "\u2167",
                                          "\u200b",     std::string(1, '\0')};
  std::mt19937 random(11);
  for (const auto& expression : kExpressions) {
    const Pattern pattern = Pattern::regex(expression, "test");
    for (int i = 0; i < 3000; ++i) {
      std::string text;
      for (auto left = random() % 12; left > 0; --left)
        text += atoms[random() % atoms.size()];
      ASSERT_EQ(scan(expression, text), cut(pattern, text)) << expression;
    }
  }
}

// Characters that one of the two libraries does not know yet are left out.
TEST(Patterns, HandWrittenScannersAreEqualToThemOnEveryCharacter) {
  const Pattern unassigned = Pattern::regex(R"(\p{Cn})", "test");
  for (const auto& expression : kExpressions) {
    const Pattern pattern = Pattern::regex(expression, "test");
    for (char32_t c = 1; c < 0x32000; ++c) {
      if (c >= 0xD800 && c < 0xE000) continue;
      std::string alone;
      unicode::append_utf8(alone, c);
      if (unassigned.parts(alone).front().match) continue;
      const std::string text = "a" + alone + "b" + alone + alone + "1";
      ASSERT_EQ(scan(expression, text), cut(pattern, text)) << std::hex << static_cast<unsigned>(c);
    }
  }
}

TEST(Patterns, MatchesAndWhatIsBetweenThemCoverTheText) {
  const Pattern pattern = Pattern::regex("[0-9]*", "test");
  EXPECT_EQ(cut(pattern, "a12\u00e93"), (std::vector<std::string>{"a", "12", "\u00e9", "3"}));
  EXPECT_TRUE(cut(pattern, "").empty());
  EXPECT_EQ(Pattern::literal("aa").replace("aaab", "x", 10), "xab");
  expect_error([&] { Pattern::literal("a").replace("aaa", "xxxx", 10); }, RH_INVALID_ARGUMENT,
               "more than 10 bytes");
}

TEST(Patterns, BacktrackingWithoutBoundEndsWithAnError) {
  const Pattern pattern = Pattern::regex("(a+)+$|(?:a|a)*b", "test");
  const auto begin = std::chrono::steady_clock::now();
  expect_error([&] { pattern.parts(std::string(60, 'a') + "!"); }, RH_INVALID_ARGUMENT,
               "the tokenizer's pattern fails on it: ");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Patterns, LongRunsTakeTimeInProportion) {
  const Pattern o200k = Pattern::regex(
      R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
      "test");
  const auto begin = std::chrono::steady_clock::now();
  for (const char* const letter : {"A", "a", " ", "\n", "\u4e2d", "1", "\u0301"}) {
    std::string text;
    for (int i = 0; i < 1000000; ++i)
      text += letter;
    EXPECT_FALSE(o200k.parts(text).empty());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace engines
