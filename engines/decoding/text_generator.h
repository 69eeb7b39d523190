// SPDX-License-Identifier: Apache-2.0
// A language model with its tokenizer, its chat template and its batcher: requests to answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/decoding/answer_reader.h"
#include "engines/decoding/batcher.h"
#include "engines/decoding/chat_format.h"
#include "engines/decoding/grammar/grammar_constraint.h"
#include "engines/tokenizer/chat_template.h"

namespace engines::decoding {

// All that answers are made with.
struct TextParts {
  std::unique_ptr<LanguageModel> model;
  Tokenizer tokenizer;
  std::optional<ChatTemplate> chat;  // none: the model completes prompts only
  EndTokens ends;                    // of the files; those of the template come to them
};

struct RenderedPrompt {
  std::string text;
  std::vector<std::int32_t> ids;
  bool opens_reasoning = false;  // the template has begun a thought that the answer goes on with
};

class TextGenerator {
 public:
  // MODEL_INVALID where the tokenizer has more tokens than the model.
  TextGenerator(TextParts parts, const BatchSettings& settings);

  // What generate would read. INVALID_ARGUMENT for messages, tools or variables that are not JSON of the kind
  // that is asked for, or where there is no template for them. [any-thread]
  RenderedPrompt render(const TextRequest& request) const;
  // One answer. Throws as render and Batcher::run do, and what the sink throws. Any number of threads.
  TextReport generate(const TextRequest& request, TextSink& sink);

  // As Batcher::between_passes.
  void between_passes(const std::function<void()>& work) { batcher_.between_passes(work); }

  std::int64_t window() const { return parts_.model->window(); }
  std::int64_t vocab_size() const { return parts_.model->vocab_size(); }

 private:
  RenderedPrompt render_chat(const TextRequest& request) const;
  std::unique_ptr<OutputParser> make_parser(const TextRequest& request, const RenderedPrompt& prompt) const;
  std::unique_ptr<Constraint> make_constraint(const TextRequest& request);
  std::shared_ptr<TokenGrammar> grammar_of(const std::string& response_format);

  TextParts parts_;
  TokenTexts texts_;
  ChatFormat format_;  // of the template
  std::mutex grammars_mutex_;
  std::unique_ptr<VocabularyTrie> trie_;  // made when the first format is asked for
  // By their formats, the most recently used first: what they know of the vocabulary was dear.
  std::list<std::pair<std::string, std::shared_ptr<TokenGrammar>>> grammars_;
  Batcher batcher_;
};

}  // namespace engines::decoding
