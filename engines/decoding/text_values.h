// SPDX-License-Identifier: Apache-2.0
// What is asked of a text model and what it answers. The fields mean what rh.text/1 says of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engines/decoding/sampling.h"

namespace engines::decoding {

enum class Channel : std::uint32_t { answer = 1, reasoning = 2, tool_call = 3 };
enum class Finish : std::uint32_t { stop = 1, length = 2, tool_calls = 3 };

// JSON fields are JSON text; empty = not given.
struct TextRequest {
  std::optional<std::string> messages;
  std::string prompt;  // where there are no messages
  std::string tools, response_format, template_variables;
  std::uint32_t max_tokens = 0;
  SamplingOptions sampling;
  std::vector<std::string> stops;
  std::uint32_t window = 0;
  bool shift = false;
  std::uint32_t keep_tokens = 0;
  bool tokens = false;
  std::uint32_t top_logprobs = 0;
};

struct TopToken {
  std::int32_t id = 0;
  float logprob = 0;
  std::string bytes;
};

struct AnswerToken {
  std::int32_t id = 0;
  float logprob = 0;
  std::string bytes;
  std::vector<TopToken> top;
};

struct TextPiece {
  Channel channel = Channel::answer;
  std::string text;
  std::optional<std::string> tool_name;
  std::uint32_t tool_call = 0;
  std::vector<AnswerToken> tokens;
};

struct TextReport {
  Finish finish = Finish::stop;
  std::uint32_t prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0;
  std::optional<std::uint32_t> stop;
  std::chrono::nanoseconds prompt{}, answer{}, wait{};
};

// Where an answer goes. On the thread of generate, but `cancelled`.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual bool cancelled() = 0;  // [any-thread]
  virtual void prompt(std::int64_t done, std::int64_t all) = 0;
  virtual void piece(TextPiece piece) = 0;
};

}  // namespace engines::decoding
