// SPDX-License-Identifier: Apache-2.0
// How the ABI's headers are written: a reader finds at each declaration who may call it, and reads it in one
// piece.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

struct Line {
  std::string place;  // file:number
  std::string text;
};

// A declaration within a record, with the comment above it.
struct Declaration {
  std::string place;
  std::string text;  // joined by a blank where it spans lines
  std::string comment;
  std::size_t lines = 0;

  bool is_function() const { return text.find("(*") != std::string::npos; }
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::vector<Line> lines_of(const std::filesystem::path& file) {
  std::vector<Line> lines;
  std::ifstream stream(file);
  for (std::string text; std::getline(stream, text);) {
    const std::size_t first = text.find_first_not_of(' ');
    lines.push_back({file.filename().string() + ":" + std::to_string(lines.size() + 1),
                     first == std::string::npos ? "" : text.substr(first)});
  }
  return lines;
}

// Reads what stands between the braces of one `typedef struct`.
class RecordReader {
 public:
  void read(const Line& line) {
    if (in_comment_ || line.text.starts_with("/*")) {
      comment_ += line.text + " ";
      in_comment_ = line.text.find("*/") == std::string::npos;
    } else if (line.text.empty()) {
      comment_.clear();
    } else {
      read_code(line);
    }
  }
  const std::vector<Declaration>& found() const { return found_; }

 private:
  void read_code(const Line& line) {
    if (open_.lines == 0) open_ = {line.place, "", comment_, 0};
    open_.text += (open_.lines++ == 0 ? "" : " ") + line.text;
    if (line.text.find(';') == std::string::npos) return;
    found_.push_back(open_);
    open_ = {};
    comment_.clear();
  }

  bool in_comment_ = false;
  std::string comment_;
  Declaration open_;
  std::vector<Declaration> found_;
};

std::vector<Declaration> declarations() {
  std::vector<Declaration> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SDK_HEADERS)) {
    if (entry.path().extension() != ".h") continue;
    RecordReader reader;
    bool inside = false;
    for (const Line& line : lines_of(entry.path())) {
      if (inside && line.text.starts_with("}")) inside = false;
      if (inside) reader.read(line);
      if (line.text.starts_with("typedef struct ") && ends_with(line.text, "{")) inside = true;
    }
    all.insert(all.end(), reader.found().begin(), reader.found().end());
  }
  return all;
}

TEST(Headers, every_function_says_which_thread_calls_it) {
  std::size_t functions = 0;
  for (const Declaration& declaration : declarations()) {
    if (!declaration.is_function()) continue;
    ++functions;
    EXPECT_NE(declaration.comment.find("-thread]"), std::string::npos)
        << declaration.place << ": no thread tag above " << declaration.text;
  }
  EXPECT_GE(functions, 28U);
}

TEST(Headers, a_field_is_declared_in_one_line_with_its_comment_above) {
  std::size_t fields = 0;
  for (const Declaration& declaration : declarations()) {
    if (declaration.is_function()) continue;
    ++fields;
    EXPECT_EQ(declaration.lines, 1U) << declaration.place << ": " << declaration.text;
    EXPECT_TRUE(ends_with(declaration.text, ";")) << declaration.place << ": " << declaration.text;
  }
  EXPECT_GE(fields, 120U);
}

}  // namespace
