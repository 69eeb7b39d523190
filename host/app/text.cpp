// SPDX-License-Identifier: Apache-2.0
#include "host/app/text.h"

#include "host/text/elapsed.h"

namespace roundhouse::host {

void TextCollector::add(const TextPiece& piece) {
  answer_.tokens.insert(answer_.tokens.end(), piece.tokens.begin(), piece.tokens.end());
  switch (piece.channel) {
    case Channel::answer:
      answer_.answer += piece.text;
      return;
    case Channel::reasoning:
      answer_.reasoning += piece.text;
      return;
    case Channel::tool_call:
      if (piece.tool_name) answer_.tool_calls.push_back({*piece.tool_name, ""});
      if (!answer_.tool_calls.empty()) answer_.tool_calls.back().arguments += piece.text;
  }
}

TextAnswer complete_text(const TextPlan& plan, TextRunner& runner, std::optional<KeepAlive> keep_alive,
                         const std::atomic<bool>& cancelled, const TextRunEvents& events,
                         TextAnswer* partial) {
  const auto begin = std::chrono::steady_clock::now();
  TextCollector collector;
  TextRunEvents told = events;
  told.piece = [&](const TextPiece& piece) {
    if (collector.answer().first_milliseconds == 0)
      collector.answer().first_milliseconds = milliseconds_since(begin);
    collector.add(piece);
    if (events.piece) events.piece(piece);
  };
  try {
    collector.answer().run = runner.run(plan, keep_alive, cancelled, told);
  } catch (...) {
    if (partial != nullptr) *partial = std::move(collector.answer());
    throw;
  }
  return std::move(collector.answer());
}

}  // namespace roundhouse::host
