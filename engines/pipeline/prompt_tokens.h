// SPDX-License-Identifier: Apache-2.0
// From a prompt to token ids, in the template of a model directory's tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engines/tokenizer/chat_template.h"
#include "engines/tokenizer/tokenizer.h"

namespace engines {

class PromptTokens {
 public:
  // Reads the tokenizer where tokenizer_source says. Throws MODEL_INVALID where it has more than `vocabulary`
  // tokens, what reading one throws.
  PromptTokens(const std::filesystem::path& directory, std::int64_t vocabulary);

  // `prompt` as a user's message, cut to `most` tokens after templating. INVALID_ARGUMENT for a prompt that
  // is not UTF-8.
  std::vector<std::int32_t> encode(const std::string& prompt, bool enable_thinking, std::size_t most) const;

 private:
  Tokenizer tokenizer_;
  ChatTemplate chat_template_;
};

}  // namespace engines
