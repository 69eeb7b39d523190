// SPDX-License-Identifier: Apache-2.0
// How an answer leaves the program: as it is written, and as one object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "host/app/text.h"
#include "host/cli/report.h"
#include "host/cli/transfer_view.h"

namespace roundhouse::host {

// The reader of standard output is gone: no error that anybody would hear of.
struct BrokenPipe {};

// Writes an answer to standard output while it comes, and reasoning to standard error where that is a
// terminal. On a terminal control characters are made harmless; into a pipe or file the text goes as it is.
class AnswerStream {
 public:
  AnswerStream();

  void write(const TextPiece& piece);
  // The end of the last line, where it has none. Throws nothing.
  void finish() noexcept;

 private:
  void write_answer(const std::string& text);

  const bool terminal_, notes_on_terminal_;
  bool open_line_ = false, reasoning_ = false;
};

// What `run --json` prints.
OrderedJson answer_json(const TextPlan& plan, const TextAnswer& answer, double total_milliseconds);
// "42 tokens, 18.3 a second; first after 120 ms; the prompt's 310 at 205 a second, 64 of them known".
std::string timings_line(const TextAnswer& answer);

// Lines "note: ..." on standard error.
void print_notes(const std::vector<std::string>& notes);

}  // namespace roundhouse::host
