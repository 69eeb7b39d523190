// SPDX-License-Identifier: Apache-2.0
// One text to write, and what comes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/task/engine_option.h"

namespace roundhouse::host {

// The plain values of rh_sampling (see ext/text.h for meanings and the order in which they apply).
struct Sampling {
  std::uint64_t seed = 0;
  double temperature = 0;
  std::uint32_t top_k = 0;
  double top_p = 1, min_p = 0, typical_p = 1;
  double repetition_penalty = 1, presence_penalty = 0, frequency_penalty = 0;
  std::uint32_t repeat_last_n = 64;
  std::uint32_t dry_allowed_length = 2;
  double dry_multiplier = 0, dry_base = 1.75;
  double mirostat_tau = 0, mirostat_eta = 0.1;
  std::vector<std::pair<std::int32_t, float>> biases;  // token and what is added to its logit
};

// The plain values of rh_text_request; lists are JSON text, as there.
struct TextTask {
  std::optional<std::string> messages;  // none: `prompt` as it is
  std::string prompt;
  std::optional<std::string> tools, response_format, template_variables;
  Sampling sampling;
  std::vector<std::string> stops;
  std::uint32_t max_tokens = 0;  // 0 = as the window allows
  std::uint32_t window = 0;      // 0 = the model's
  bool shift = false;            // at the end of the window the oldest tokens behind keep_tokens are dropped
  std::uint32_t keep_tokens = 0;
  bool tokens = false;  // pieces carry their tokens
  std::uint32_t top_logprobs = 0;
  std::vector<EngineOption> options;
};

enum class Channel : std::uint32_t { answer = 1, reasoning = 2, tool_call = 3 };

struct TopToken {
  std::int32_t id = 0;
  float logprob = 0;  // -infinity for a forbidden one
  std::string bytes;  // maybe part of a character
};
struct TextToken : TopToken {
  std::vector<TopToken> top;
};

// A part of what is written: whole characters.
struct TextPiece {
  Channel channel = Channel::answer;
  std::string text;
  std::optional<std::string> tool_name;  // in the first piece of each call of a tool
  std::uint32_t tool_call = 0;           // its number, from 0
  std::vector<TextToken> tokens;
};

enum class Finish : std::uint32_t { stop = 1, length = 2, tool_calls = 3 };
std::string finish_name(Finish finish);  // "stop", "length", "tool_calls"

struct TextReport {
  Finish finish = Finish::stop;
  std::uint32_t prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0;
  std::optional<std::uint32_t> stop;  // index of the one that ended the text
  double prompt_milliseconds = 0, answer_milliseconds = 0, wait_milliseconds = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the process that the engine ran in, so far
};

// What a text tells while it is written, on the thread that asked. What one throws ends it.
struct TextEvents {
  std::function<void(std::uint32_t done, std::uint32_t tokens)> prompt;
  std::function<void(const TextPiece&)> piece;
};

// What an engine reads of a request.
struct RenderedPrompt {
  std::string text;
  std::vector<std::int32_t> ids;
};

}  // namespace roundhouse::host
