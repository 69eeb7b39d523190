// SPDX-License-Identifier: Apache-2.0
// One name, one type: two types of one name in one namespace are undefined behaviour that no linker reports.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/structure/source_tree.h"

namespace structure {
namespace {

// The types that are defined at namespace scope, with their namespaces; those of unnamed namespaces are the
// file's own. Formatted code has them, and the braces of namespaces, at the beginning of a line.
std::vector<std::string> types_in(const std::vector<std::string>& lines) {
  static const std::regex opens("^(?:inline )?namespace ?([A-Za-z0-9_:]*) \\{");
  static const std::regex defines(
      "^(?:struct|class|union|enum|enum class|enum struct) (?:[A-Z_]+ )?"
      "([A-Za-z0-9_]+)(?: final)?(?: :[^;]*|)(?: \\{.*|)$");
  std::vector<std::string> types, spaces;
  std::smatch match;
  for (const auto& line : lines) {
    if (std::regex_search(line, match, opens)) {
      spaces.push_back(match[1]);
    } else if (line.starts_with("}  // namespace") && !spaces.empty()) {
      spaces.pop_back();
    } else if (std::regex_match(line, match, defines)) {
      std::string name;
      bool unnamed = false;
      for (const auto& space : spaces) {
        name += space + "::";
        unnamed |= space.empty();
      }
      if (!unnamed) types.push_back(name + match[1].str());
    }
  }
  return types;
}

TEST(Types, AreFoundWithTheirNamespaces) {
  const std::vector<std::string> lines = {"namespace a::b {",
                                          "struct One {",
                                          "};",
                                          "class Two final : public One {",
                                          "};",
                                          "struct Later;",
                                          "namespace {",
                                          "struct Own {",
                                          "};",
                                          "}  // namespace",
                                          "enum class Three {",
                                          "};",
                                          "}  // namespace a::b",
                                          "struct Four {};"};
  EXPECT_EQ(types_in(lines), (std::vector<std::string>{"a::b::One", "a::b::Two", "a::b::Three", "Four"}));
}

TEST(Types, AreDefinedOnce) {
  std::map<std::string, std::set<std::string>> files_of;
  for (const auto& file : source_files()) {
    // Each test program and each plugin is a program of its own.
    if (file.starts_with("tests/") || file.starts_with("plugins/")) continue;
    for (const auto& type : types_in(lines_of(file)))
      files_of[type].insert(file);
  }
  ASSERT_GT(files_of.size(), 300u);
  for (const auto& [type, files] : files_of) {
    if (files.size() < 2) continue;
    std::string where;
    for (const auto& file : files)
      where += " " + file;
    ADD_FAILURE() << type << " is defined in" << where;
  }
}

}  // namespace
}  // namespace structure
