// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/text_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engines/decoding/chat_variables.h"
#include "engines/tensor/error.h"

namespace engines::decoding {

TextGenerator::TextGenerator(TextParts parts, const BatchSettings& settings)
    : parts_(std::move(parts)),
      texts_(parts_.tokenizer, parts_.model->vocab_size()),
      batcher_(*parts_.model, settings) {
  if (parts_.chat) parts_.ends.merge(end_tokens_in(parts_.chat->source(), texts_));
}

RenderedPrompt TextGenerator::render(const TextRequest& request) const {
  if (request.messages) return render_chat(request);
  return {request.prompt, parts_.tokenizer.encode(request.prompt)};
}

RenderedPrompt TextGenerator::render_chat(const TextRequest& request) const {
  if (!parts_.chat)
    throw Error(RH_INVALID_ARGUMENT, "messages: the model has no chat template, expected a prompt");
  std::string text = render_template(*parts_.chat, chat_variables(request));
  // The template has written what the tokenizer would add.
  std::vector<std::int32_t> ids = parts_.tokenizer.encode(text, false);
  return {std::move(text), std::move(ids)};
}

std::unique_ptr<OutputParser> TextGenerator::make_parser(const TextRequest&, const RenderedPrompt&) const {
  return std::make_unique<PlainParser>();
}

std::unique_ptr<Constraint> TextGenerator::make_constraint(const TextRequest& request) const {
  if (request.response_format.empty()) return nullptr;
  throw Error(RH_CAPABILITY_UNSUPPORTED, "response_format: is not supported");
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
