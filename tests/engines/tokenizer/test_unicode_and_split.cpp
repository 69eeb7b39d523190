// SPDX-License-Identifier: Apache-2.0
// The published split patterns by example, NFC, and broken UTF-8. The expected pieces are what a regular
// expression engine with Unicode classes gives for the patterns.
#include <gtest/gtest.h>

#include <chrono>

#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/published_splits.h"
#include "engines/tokenizer/unicode.h"

namespace engines {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(Split, AnUnknownPatternIsNotGuessed) {
  EXPECT_FALSE(rules_of_pattern("").has_value());
  EXPECT_FALSE(rules_of_pattern(R"(\s+)").has_value());
  EXPECT_FALSE(rules_of_pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))")
                   .has_value());
}

TEST(Split, DigitsStandAloneOrInThreesOrAllTogether) {
  EXPECT_EQ(split_pieces("1234567", SplitRules::qwen2), (Pieces{"1", "2", "3", "4", "5", "6", "7"}));
  EXPECT_EQ(split_pieces("1234567", SplitRules::llama3), (Pieces{"123", "456", "7"}));
  EXPECT_EQ(split_pieces(" 1234567", SplitRules::gpt2), (Pieces{" 1234567"}));
  EXPECT_EQ(split_pieces(" 12", SplitRules::qwen2), (Pieces{" ", "1", "2"}));
}

TEST(Split, ContractionsAreCutInAnyCaseExceptForGpt2) {
  const std::string text = "I'll DON'T it\u2019s '\u017F";
  EXPECT_EQ(split_pieces(text, SplitRules::qwen2),
            (Pieces{"I", "'ll", " DON", "'T", " it", "\u2019s", " '", "\u017F"}));
  EXPECT_EQ(split_pieces("x'\u017Fy", SplitRules::qwen2), (Pieces{"x", "'\u017F", "y"}));
  EXPECT_EQ(split_pieces("DON'T", SplitRules::gpt2), (Pieces{"DON", "'", "T"}));
}

TEST(Split, TheLastBlankGoesWithTheWord) {
  EXPECT_EQ(split_pieces("a   b", SplitRules::qwen2), (Pieces{"a", "  ", " b"}));
  EXPECT_EQ(split_pieces("a\u3000\u3000b", SplitRules::qwen2), (Pieces{"a", "\u3000", "\u3000b"}));
  EXPECT_EQ(split_pieces("a \t1  ", SplitRules::qwen2), (Pieces{"a", " ", "\t", "1", "  "}));
}

TEST(Split, LineEndsGoWithWhatIsBeforeThem) {
  EXPECT_EQ(split_pieces("a!\r\n\n b \n \n  c", SplitRules::qwen2),
            (Pieces{"a", "!\r\n\n", " b", " \n \n", " ", " c"}));
  EXPECT_EQ(split_pieces("!\n", SplitRules::gpt2), (Pieces{"!", "\n"}));
}

TEST(Split, ManySignsAndMarks) {
  EXPECT_EQ(split_pieces("e\u0301 \u0915\u094D (x) \U0001F98A!", SplitRules::qwen2),
            (Pieces{"e", "\u0301", " \u0915", "\u094D", " (", "x", ")", " \U0001F98A!"}));
  EXPECT_TRUE(split_pieces("", SplitRules::llama3).empty());
}

TEST(Unicode, NfcComposesAndOrders) {
  EXPECT_EQ(unicode::nfc("plain caf\u00e9"), "plain caf\u00e9");
  EXPECT_EQ(unicode::nfc("e\u0301"), "\u00e9");
  EXPECT_EQ(unicode::nfc("q\u0307\u0323"), "q\u0323\u0307");
  EXPECT_EQ(unicode::nfc("\u1112\u1161\u11AB"), "\uD55C");
  EXPECT_EQ(unicode::nfc("\u0958"), "\u0915\u093C");  // excluded from composition
  EXPECT_EQ(unicode::nfc("\u212B\u2126"), "\u00C5\u03A9");
  EXPECT_EQ(unicode::nfc(std::string_view("a\0\u0301", 4)), std::string_view("a\0\u0301", 4));
}

TEST(Unicode, ALongRunOfMarksIsSortedInGoodTime) {
  std::string text = "x";
  for (int i = 0; i < 200000; ++i)
    text += i % 2 == 0 ? "\u0307" : "\u0323";
  const auto begin = std::chrono::steady_clock::now();
  const std::string normal = unicode::nfc(text);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_TRUE(normal.starts_with("\u1E8B") || normal.starts_with("x\u0323\u0323"));
}

TEST(Unicode, BrokenSequencesBecomeOneReplacementPerPart) {
  const std::string mark = "\uFFFD";
  EXPECT_EQ(unicode::replace_invalid("a\xFF"
                                     "b"),
            "a" + mark + "b");
  EXPECT_EQ(unicode::replace_invalid("\xE4\xBD"), mark);
  EXPECT_EQ(unicode::replace_invalid("\xE4\xBD"
                                     "x"),
            mark + "x");
  EXPECT_EQ(unicode::replace_invalid("\xF0\x9F\xA6"), mark);
  EXPECT_EQ(unicode::replace_invalid("\xED\xA0\x80"), mark + mark + mark);  // a surrogate
  EXPECT_EQ(unicode::replace_invalid("\xC0\xAF"), mark + mark);             // too long a form
  EXPECT_EQ(unicode::replace_invalid("\xF4\x90\x80\x80"), mark + mark + mark + mark);
  EXPECT_EQ(unicode::replace_invalid("\x80"), mark);
}

TEST(Unicode, TheFirstBadByteIsFound) {
  EXPECT_EQ(unicode::first_invalid("caf\u00e9"), std::string_view::npos);
  EXPECT_EQ(unicode::first_invalid("ab\xC3"), 2u);
  EXPECT_EQ(unicode::first_invalid("\xED\xA0\x80"), 0u);
  EXPECT_EQ(unicode::first_invalid(std::string_view("\0", 1)), std::string_view::npos);
}

TEST(ByteAlphabet, EveryByteHasItsCharacterAndBack) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    bytes += static_cast<char>(byte);
  const std::string text = to_byte_alphabet(bytes);
  EXPECT_EQ(from_byte_alphabet(text), bytes);
  EXPECT_EQ(unicode::first_invalid(text), std::string_view::npos);
  EXPECT_EQ(to_byte_alphabet(" a\n"), "\u0120a\u010A");
  EXPECT_FALSE(from_byte_alphabet(" ").has_value());
  EXPECT_FALSE(from_byte_alphabet("\u0144").has_value());
}

}  // namespace
}  // namespace engines
