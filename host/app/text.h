// SPDX-License-Identifier: Apache-2.0
// One answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/session/text_runner.h"

namespace roundhouse::host {

struct ToolCall {
  std::string name, arguments;  // a JSON object, as far as the engine came
};

struct TextAnswer {
  std::string answer, reasoning;
  std::vector<ToolCall> tool_calls;
  std::vector<TextToken> tokens;  // where the plan asks for them
  TextRun run;
  double first_milliseconds = 0;  // from the request to the first piece
};

// Puts the pieces of a text together.
class TextCollector {
 public:
  void add(const TextPiece& piece);
  TextAnswer& answer() { return answer_; }

 private:
  TextAnswer answer_;
};

// The plan's text, whole; the events see it grow. Throws what TextRunner::run throws; then `partial` (may be
// null) has what came before.
TextAnswer complete_text(const TextPlan& plan, TextRunner& runner, std::optional<KeepAlive> keep_alive,
                         const std::atomic<bool>& cancelled, const TextRunEvents& events,
                         TextAnswer* partial = nullptr);

}  // namespace roundhouse::host
