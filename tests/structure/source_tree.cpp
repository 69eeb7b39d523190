// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/source_tree.h"

#include <filesystem>
#include <fstream>

namespace structure {

namespace fs = std::filesystem;

std::vector<std::string> source_files() {
  std::vector<std::string> files;
  const fs::path root = ROUNDHOUSE_SOURCE_DIR;
  for (const auto* room : {"sdk", "host", "engines", "plugins", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      const auto extension = entry.path().extension();
      if (extension == ".h" || extension == ".hpp" || extension == ".cpp" || extension == ".c") {
        files.push_back(fs::relative(entry.path(), root).generic_string());
      }
    }
  }
  return files;
}

std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream stream(fs::path(ROUNDHOUSE_SOURCE_DIR) / file);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

std::vector<std::string> includes_of(const std::string& file) {
  std::vector<std::string> includes;
  for (const auto& line : lines_of(file)) {
    if (line.starts_with("#include ")) includes.push_back(line.substr(9));
  }
  return includes;
}

}  // namespace structure
