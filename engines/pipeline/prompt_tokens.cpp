// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/prompt_tokens.h"

#include <fmt/format.h>

#include "engines/pipeline/model_files.h"
#include "engines/tensor/error.h"
#include "engines/weights/gguf.h"

namespace engines {
namespace {

Tokenizer load_tokenizer(const TokenizerSource& from) {
  return from.gguf.empty() ? Tokenizer::load(from.folder) : Tokenizer::from_gguf(GgufFile(from.gguf));
}

ChatTemplate load_chat_template(const TokenizerSource& from) {
  return from.gguf.empty() ? ChatTemplate::load(from.folder) : ChatTemplate::from_gguf(GgufFile(from.gguf));
}

}  // namespace

PromptTokens::PromptTokens(const std::filesystem::path& directory, std::int64_t vocabulary)
    : tokenizer_(load_tokenizer(tokenizer_source(directory))),
      chat_template_(load_chat_template(tokenizer_source(directory))) {
  if (tokenizer_.size() <= vocabulary) return;
  throw Error(RH_MODEL_INVALID,
              fmt::format("tokenizer: {} tokens do not fit vocab_size {} of text_encoder/config.json",
                          tokenizer_.size(), vocabulary));
}

std::vector<std::int32_t> PromptTokens::encode(const std::string& prompt, bool enable_thinking,
                                               std::size_t most) const {
  std::vector<std::int32_t> ids = tokenizer_.encode(chat_template_.render_prompt(prompt, enable_thinking));
  if (ids.size() > most) ids.resize(most);
  return ids;
}

}  // namespace engines
