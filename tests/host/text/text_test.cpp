// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "host/text/json_depth.h"
#include "host/text/letters.h"
#include "host/text/list.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

TEST(JsonDepth, CountsBracketsOutsideOfStrings) {
  EXPECT_FALSE(nests_deeper("", 0));
  EXPECT_TRUE(nests_deeper("[]", 0));
  EXPECT_FALSE(nests_deeper(R"({"a": [1]})", 2));
  EXPECT_TRUE(nests_deeper(R"({"a": [1]})", 1));
  EXPECT_FALSE(nests_deeper(R"(["[[[\"[[", {}])", 2));
  EXPECT_TRUE(nests_deeper(std::string(100000, '['), 200));
}

TEST(Joined, PutsTheSeparatorBetweenTexts) {
  EXPECT_EQ(joined(std::vector<std::string>{}), "");
  EXPECT_EQ(joined(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(joined(std::vector<std::string>{"a", "", "c"}), "a, , c") << "an empty text keeps its place";
  EXPECT_EQ(joined(std::vector<std::string_view>{"a", "b"}, "; "), "a; b");
}

TEST(Joined, TakesAMemberOrAFunctionOfElements) {
  struct Engine {
    std::string id;
  };
  EXPECT_EQ(joined(std::vector<Engine>{{"x"}, {"y"}}, ", ", &Engine::id), "x, y");
  const std::map<std::string, int> sizes{{"a", 1}, {"b", 2}};
  EXPECT_EQ(joined(sizes, ", ", [](const auto& entry) { return entry.first; }), "a, b");
}

TEST(Lowered, TouchesTheLettersOfAsciiAlone) {
  EXPECT_EQ(lowered("Content-TYPE 9[Z]"), "content-type 9[z]");
  EXPECT_EQ(lowered("\xC3\x84"), "\xC3\x84");
}

TEST(HumanBytes, UsesPowersOf1024) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{412} << 20), "412 MiB");
  EXPECT_EQ(human_bytes(~std::uint64_t{0}), "16777216 TiB");
}

TEST(HumanMilliseconds, GrowsIntoSecondsAndMinutes) {
  EXPECT_EQ(human_milliseconds(1.25), "1.2 ms");
  EXPECT_EQ(human_milliseconds(85), "85 ms");
  EXPECT_EQ(human_milliseconds(1240), "1.24 s");
  EXPECT_EQ(human_milliseconds(12'340), "12.3 s");
  EXPECT_EQ(human_milliseconds(200'000), "3 min 20 s");
}

TEST(Fixed, RoundsToSoManyDecimals) {
  EXPECT_EQ(fixed(2.5, 2), "2.50");
  EXPECT_EQ(fixed(-0.126, 2), "-0.13");
}

}  // namespace
}  // namespace roundhouse::host
