// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/text_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engines/decoding/chat_parser.h"
#include "engines/decoding/chat_variables.h"
#include "engines/decoding/grammar/response_format.h"
#include "engines/tensor/error.h"

namespace engines::decoding {

TextGenerator::TextGenerator(TextParts parts, const BatchSettings& settings)
    : parts_(std::move(parts)),
      texts_(parts_.tokenizer, parts_.model->vocab_size()),
      batcher_(*parts_.model, settings) {
  if (!parts_.chat) return;
  parts_.ends.merge(end_tokens_in(parts_.chat->source(), texts_));
  format_ = chat_format_of(parts_.chat->source());
}

RenderedPrompt TextGenerator::render(const TextRequest& request) const {
  if (request.messages) return render_chat(request);
  return {request.prompt, parts_.tokenizer.encode(request.prompt)};
}

RenderedPrompt TextGenerator::render_chat(const TextRequest& request) const {
  if (!parts_.chat)
    throw Error(RH_INVALID_ARGUMENT, "messages: the model has no chat template, expected a prompt");
  RenderedPrompt prompt;
  prompt.text = render_messages(*parts_.chat, format_, request);
  // The template has written what the tokenizer would add.
  prompt.ids = parts_.tokenizer.encode(prompt.text, false);
  const std::string_view text = prompt.text;
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  prompt.opens_reasoning = format_.thinks() && text.substr(0, end + 1).ends_with(format_.think_open);
  return prompt;
}

std::unique_ptr<OutputParser> TextGenerator::make_parser(const TextRequest& request,
                                                         const RenderedPrompt& prompt) const {
  if (!request.messages) return std::make_unique<PlainParser>();
  ChatFormat format = format_;
  if (forbids_thinking(request) && !prompt.opens_reasoning) format.think_open = format.think_close = {};
  return std::make_unique<ChatParser>(std::move(format), prompt.opens_reasoning, tool_names(request));
}

std::unique_ptr<Constraint> TextGenerator::make_constraint(const TextRequest& request) {
  if (request.response_format.empty() || is_any_text(request.response_format)) return nullptr;
  return std::make_unique<GrammarConstraint>(grammar_of(request.response_format));
}

std::shared_ptr<TokenGrammar> TextGenerator::grammar_of(const std::string& response_format) {
  constexpr std::size_t most = 16;
  const std::lock_guard lock(grammars_mutex_);
  const auto known = std::ranges::find(grammars_, response_format, &decltype(grammars_)::value_type::first);
  if (known != grammars_.end()) {
    grammars_.splice(grammars_.begin(), grammars_, known);
    return grammars_.front().second;
  }
  if (!trie_) trie_ = std::make_unique<VocabularyTrie>(texts_);
  auto made = std::make_shared<TokenGrammar>(response_grammar(response_format), *trie_, texts_, parts_.ends);
  grammars_.emplace_front(response_format, made);
  if (grammars_.size() > most) grammars_.pop_back();
  return made;
}

TextReport TextGenerator::generate(const TextRequest& request, TextSink& sink) {
  RenderedPrompt prompt = render(request);
  const AnswerSetting setting{parts_.tokenizer, texts_, parts_.ends};
  AnswerReader reader(setting, request, prompt.ids, make_parser(request, prompt), make_constraint(request),
                      sink);
  BatchInput input;
  const auto tokens = static_cast<std::uint32_t>(prompt.ids.size());
  input.prompt = std::move(prompt.ids);
  input.window = request.window == 0 ? window() : std::min<std::int64_t>(request.window, window());
  input.shift = request.shift;
  input.keep = request.keep_tokens;
  const BatchReport batch = batcher_.run(std::move(input), reader);
  reader.finish();
  TextReport report;
  reader.report(report);
  report.prompt_tokens = tokens;
  report.cached_tokens = static_cast<std::uint32_t>(batch.cached);
  report.prompt = batch.prompt;
  report.answer = batch.answer;
  report.wait = batch.waited;
  return report;
}

}  // namespace engines::decoding
