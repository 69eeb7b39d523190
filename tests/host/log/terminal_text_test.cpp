// SPDX-License-Identifier: Apache-2.0
#include "host/log/terminal_text.h"
#include "host/text/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace roundhouse::host {
namespace {

TEST(TerminalText, LeavesWhatPeopleRead) {
  const std::string text = "a red mushroom, naïve café — ✨ 夜の街 مرحبا 👩🏽";
  EXPECT_EQ(terminal_text(text), text);
  EXPECT_EQ(terminal_text(""), "");
}

TEST(TerminalText, ShowsWhatDrivesATerminal) {
  EXPECT_EQ(terminal_text("a\x1b[31m\r\n\tb\x7f"), "a\\x1b[31m\\x0d\\x0a\\x09b\\u007f");
  EXPECT_EQ(terminal_text("two\nlines\r\n", TerminalLines::several), "two\nlines\\x0d\n");
  EXPECT_EQ(terminal_text("\xc2\x9b"
                          "31m"),
            "\\u009b31m");
}

// "gpj.exe" that reads as "exe.jpg".
TEST(TerminalText, ShowsWhatTurnsTheOrderOfLetters) {
  EXPECT_EQ(terminal_text("\u202egpj.exe"), "\\u202egpj.exe");
  EXPECT_EQ(terminal_text("\u2066a\u2069\u200f\u061c\u200b\ufeff\u2028"),
            "\\u2066a\\u2069\\u200f\\u061c\\u200b\\ufeff\\u2028");
}

TEST(TerminalText, MendsWhatIsNotUtf8) {
  EXPECT_EQ(terminal_text("a\xff"
                          "b"),
            "a\ufffd"
            "b");
  EXPECT_EQ(terminal_text("\xe5\xa4"), "\ufffd\ufffd");
  EXPECT_EQ(terminal_text("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");  // half a pair of UTF-16
}

TEST(TerminalText, LeavesJsonWhatItIs) {
  const nlohmann::json json = {{"name", "\u202ea\u0085\x7f\x1b\"\\\n夜"}};
  const std::string shown = terminal_text(json_lines(json), TerminalLines::several);
  EXPECT_EQ(nlohmann::json::parse(shown), json);
  EXPECT_EQ(shown.find('\x7f'), std::string::npos);
}

}  // namespace
}  // namespace roundhouse::host
