// SPDX-License-Identifier: Apache-2.0
// A request for a text in OpenAI's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/residency/keep_alive.h"
#include "host/server/messages.h"
#include "host/session/text_session.h"

namespace roundhouse::host::openai {

struct TextOrder {
  TextRequest request;
  std::optional<KeepAlive> keep_alive;
  std::uint32_t answers = 1;  // n: each with a seed of its own
  bool stream = false, usage = false, logprobs = false;
};

// Of /v1/chat/completions. Beside OpenAI's fields: engine, keep_alive, weights, top_k, min_p, typical_p,
// repetition_penalty, chat_template_kwargs (variables of the template), think, reasoning_effort ("none" is
// think: false), window. Throws INVALID_ARGUMENT by field, CAPABILITY_UNSUPPORTED for a tool_choice that
// forces a call.
TextOrder read_chat_order(const JsonFields& fields, const OrderedJson& body);

// Of /v1/completions: the same without messages and tools; one order for each prompt.
struct CompletionOrder {
  TextOrder order;  // without a prompt
  std::vector<std::string> prompts;
  bool echo = false;
};
CompletionOrder read_completion_order(const JsonFields& fields);

// model and engine of any request: MODEL, MODEL+ENGINE, engine, weights.
void take_choice(const JsonFields& fields, ModelChoice& choice);

}  // namespace roundhouse::host::openai
