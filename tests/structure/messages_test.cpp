// SPDX-License-Identifier: Apache-2.0
// Messages are format strings: the reader sees the sentence, and not what glues it together.
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "tests/structure/source_tree.h"

namespace structure {
namespace {

bool glues_a_number(const std::string& line) {
  static const std::regex kGlue(R"(\+ *std::to_string\(|std::to_string\([^()]*(\([^()]*\))?[^()]*\) *\+)");
  return std::regex_search(line, kGlue);
}

TEST(Messages, CatchWhatTheyForbid) {
  EXPECT_TRUE(glues_a_number(R"(fail("has " + std::to_string(size) + " bytes");)"));
  EXPECT_TRUE(glues_a_number(R"(text = std::to_string(list.size()) + " of ";)"));
  EXPECT_FALSE(glues_a_number(R"(fields.add("Content-Length", std::to_string(size));)"));
}

TEST(Messages, AreFormatStrings) {
  std::size_t files = 0;
  for (const std::string& file : source_files()) {
    if (!file.starts_with("host/") && !file.starts_with("engines/") && !file.starts_with("plugins/"))
      continue;
    ++files;
    std::size_t number = 0;
    for (const std::string& line : lines_of(file)) {
      ++number;
      if (glues_a_number(line)) ADD_FAILURE() << file << ':' << number << ": use fmt::format";
    }
  }
  EXPECT_GT(files, 50U) << "the source tree was not found";
}

}  // namespace
}  // namespace structure
