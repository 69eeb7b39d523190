// SPDX-License-Identifier: Apache-2.0
// Reasoning, answer and calls of tools out of what a chat model writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/decoding/chat_format.h"
#include "engines/decoding/output_parser.h"
#include "engines/decoding/tool_calls.h"

namespace engines::decoding {

// Line ends around reasoning, and white space around calls, belong to the marks and are left out. A call
// leaves as a whole, when it is complete; what is marked as one and is none leaves as answer, marks and all.
class ChatParser : public OutputParser {
 public:
  // `reasons`: the prompt has begun a thought. `tools`: those that were offered; none: no calls are looked
  // for.
  ChatParser(ChatFormat format, bool reasons, KnownTools tools);

  std::vector<OutputPart> push(std::string_view text) override;
  std::string mark(const std::string& special) const override;
  std::vector<OutputPart> finish() override;
  bool holds() const override { return !held_.empty(); }
  bool reasons() const override { return phase_ == Phase::reasoning; }

 private:
  using Parts = std::vector<OutputPart>;
  enum class Phase {
    beginning,  // of the whole text: reasoning may follow
    reasoning,
    behind,  // reasoning or a call: white space is left out, another call may follow
    answer,
    call
  };

  // Each takes what it can of held_ and says whether there may be more to take.
  bool step(Parts& parts);
  bool begin();
  bool reason(Parts& parts);
  bool go_on();
  bool answer(Parts& parts);
  bool call(Parts& parts);

  bool open_call(std::size_t mark, std::size_t at, Parts& parts);
  void end_call(std::size_t region, Parts& parts);
  std::optional<std::vector<ToolCall>> read_call(std::string_view body) const;
  std::string_view open_mark() const;
  void say(Channel channel, std::string text, Parts& parts);

  const ChatFormat format_;
  const KnownTools tools_;
  Phase phase_;
  std::string held_;
  bool reasoned_ = false;     // something of the reasoning was sent
  bool behind_call_ = false;  // of Phase::behind
  bool answered_ = false;     // something of the answer was sent
  std::size_t mark_ = 0;      // of the call: index in format_.calls, their count for a bare one
  std::size_t looked_ = 0;    // of the call: bytes in which its end is not
  std::uint32_t calls_ = 0;
};

}  // namespace engines::decoding
