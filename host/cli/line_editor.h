// SPDX-License-Identifier: Apache-2.0
// Lines that a person types, with editing and a history; the one file that knows libedit is line_editor.cpp.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace roundhouse::host {

// Reads standard input. Where that is no terminal, lines are read as they are, and nothing is written.
class LineEditor {
 public:
  // `history`: where lines are kept between runs, read by this user alone; empty: nowhere. One that cannot be
  // read or written is as good as none.
  explicit LineEditor(std::filesystem::path history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  bool on_terminal() const { return on_terminal_; }

  struct Line {
    std::string text;          // without its end
    bool interrupted = false;  // a signal was noted (interrupt.h): what was typed is gone
  };
  // None: the end of the input.
  std::optional<Line> read(const std::string& prompt);
  // Appends what was entered, of however many lines, to the history.
  void remember(const std::string& text);

 private:
  class Terminal;
  const bool on_terminal_;
  const std::filesystem::path history_;
  std::unique_ptr<Terminal> terminal_;
};

}  // namespace roundhouse::host
