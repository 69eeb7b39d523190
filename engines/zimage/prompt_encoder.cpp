// SPDX-License-Identifier: Apache-2.0
#include "engines/zimage/prompt_encoder.h"

#include "engines/pipeline/model_files.h"
#include "engines/weights/gguf.h"

namespace engines::zimage {
namespace {

constexpr std::size_t kMaxPromptTokens = 512;

Tokenizer load_tokenizer(const TokenizerSource& from) {
  return from.gguf.empty() ? Tokenizer::load(from.folder) : Tokenizer::from_gguf(GgufFile(from.gguf));
}

ChatTemplate load_chat_template(const TokenizerSource& from) {
  return from.gguf.empty() ? ChatTemplate::load(from.folder) : ChatTemplate::from_gguf(GgufFile(from.gguf));
}

}  // namespace

ZImagePromptEncoder::ZImagePromptEncoder(const std::filesystem::path& directory, Kernels& kernels,
                                         const PipelineOptions& options)
    : tokenizer_(load_tokenizer(tokenizer_source(directory))),
      chat_template_(load_chat_template(tokenizer_source(directory))),
      encoder_(directory / "text_encoder", kernels, options.weights, options.threads) {
  const std::int64_t vocabulary = encoder_.described().config().vocab_size;
  if (tokenizer_.size() <= vocabulary) return;
  throw Error(RH_MODEL_INVALID, "tokenizer: " + std::to_string(tokenizer_.size()) +
                                    " tokens do not fit vocab_size " + std::to_string(vocabulary) +
                                    " of text_encoder/config.json");
}

PromptEncoder::Ids ZImagePromptEncoder::tokenize(const std::string& prompt) const {
  Ids ids = tokenizer_.encode(chat_template_.render_prompt(prompt));
  if (ids.size() > kMaxPromptTokens) ids.resize(kMaxPromptTokens);
  return ids;
}

}  // namespace engines::zimage
