// SPDX-License-Identifier: Apache-2.0
// Texts of plugins: what is refused in a descriptor, what is cleaned in a message.
#include "host/loading/text.h"

#include <gtest/gtest.h>

namespace roundhouse::host {
namespace {

TEST(TextTest, SaysWhatIsWrongWithAText) {
  EXPECT_EQ(problem_of_text(nullptr, 10), "is NULL");
  EXPECT_EQ(problem_of_text("12345678901", 10), "is longer than 10 bytes");
  EXPECT_EQ(problem_of_text("a\xff", 10), "is not UTF-8");
  EXPECT_EQ(problem_of_text("a\xc3", 10), "is not UTF-8");         // ends within a character
  EXPECT_EQ(problem_of_text("\xc0\xaf", 10), "is not UTF-8");      // overlong
  EXPECT_EQ(problem_of_text("\xed\xa0\x80", 10), "is not UTF-8");  // a surrogate
  EXPECT_EQ(problem_of_text("a\x1b[2J", 10), "holds a control character");
  EXPECT_EQ(problem_of_text("a\nb", 10), "holds a control character");
  EXPECT_EQ(problem_of_text("\xc2\x9b", 10), "holds a control character");  // C1
  EXPECT_EQ(problem_of_text("", 10), "");
  EXPECT_EQ(problem_of_text("M\xc3\xbcller", 10), "");
}

TEST(TextTest, CleansWhatWillBeShown) {
  EXPECT_EQ(cleaned_text(nullptr, 10), "");
  EXPECT_EQ(cleaned_text("a\xff\x1b[2J\nb", 20), "a\xef\xbf\xbd [2J b");
  EXPECT_EQ(cleaned_text("M\xc3\xbcller", 2), "M\xef\xbf\xbd");
  EXPECT_EQ(cleaned_text("M\xc3\xbcller", 20), "M\xc3\xbcller");
}

}  // namespace
}  // namespace roundhouse::host
