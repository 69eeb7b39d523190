// SPDX-License-Identifier: Apache-2.0
// Parts of an answer that OpenAI's routes for text have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/server/text_generation.h"

namespace roundhouse::host::openai {

// A prefix and 24 random letters and digits, as clients expect ids to look: "chatcmpl-…".
std::string fresh_name(const std::string& prefix);

// {"content": [{token, logprob, bytes, top_logprobs}]}, of chats.
nlohmann::ordered_json chat_logprobs(const std::vector<TextToken>& tokens);
// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}, of completions; `offset`: of the first token's
// text.
nlohmann::ordered_json completion_logprobs(const std::vector<TextToken>& tokens, std::size_t offset);

// Tokens that were read and written, of one answer or of several.
class Usage {
 public:
  // The prompt of several answers counts once, as the API counts it.
  void add(const TextReport& report);
  nlohmann::ordered_json json() const;

 private:
  std::uint64_t prompt_ = 0, cached_ = 0, answer_ = 0;
};

// One event of a stream; throws CANCELLED when nobody reads it.
void write_event(http::Stream& stream, const nlohmann::ordered_json& json);

}  // namespace roundhouse::host::openai
