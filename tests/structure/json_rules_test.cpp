// SPDX-License-Identifier: Apache-2.0
// JSON is written with an answer to text that is not UTF-8: without one, dump() throws for a file name of
// somebody else's.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Lines with a dump() that names no error handler within its statement.
std::vector<std::size_t> throwing_dumps(const std::string& source) {
  std::vector<std::size_t> lines;
  for (std::size_t at = source.find(".dump("); at != std::string::npos; at = source.find(".dump(", at + 1)) {
    const std::string statement = source.substr(at, source.find(';', at) - at);
    if (statement.find("error_handler_t::") == std::string::npos &&
        statement.find("kReplace") == std::string::npos)
      lines.push_back(static_cast<std::size_t>(std::count(
                          source.begin(), source.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
                      1);
  }
  return lines;
}

TEST(JsonRules, FindADumpThatThrows) {
  EXPECT_EQ(throwing_dumps("a;\nx = json.dump();"), std::vector<std::size_t>{2});
  EXPECT_EQ(throwing_dumps("x = json.dump(2) + y;"), std::vector<std::size_t>{1});
  EXPECT_TRUE(throwing_dumps("x = json.dump(-1, ' ', true,\n json::error_handler_t::replace);").empty());
}

TEST(JsonRules, HoldInEveryFile) {
  const fs::path root = ROUNDHOUSE_SOURCE_DIR;
  std::size_t files = 0;
  for (const char* room : {"sdk", "host", "engines", "plugins"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".hpp" && extension != ".cpp") continue;
      std::ifstream stream(entry.path());
      std::ostringstream text;
      text << stream.rdbuf();
      ++files;
      for (const std::size_t line : throwing_dumps(text.str()))
        ADD_FAILURE() << fs::relative(entry.path(), root).generic_string() << ':' << line
                      << ": a dump() without an error handler throws for text that is not UTF-8";
    }
  }
  EXPECT_GT(files, 50u) << "the source tree was not found";
}

}  // namespace
