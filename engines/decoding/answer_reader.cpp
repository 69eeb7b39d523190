// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/answer_reader.h"

#include <utility>

namespace engines::decoding {

AnswerReader::AnswerReader(const AnswerSetting& setting, const TextRequest& request,
                           const std::vector<std::int32_t>& prompt, std::unique_ptr<OutputParser> parser,
                           std::unique_ptr<Constraint> constraint, TextSink& sink)
    : setting_(setting),
      request_(request),
      sink_(sink),
      sampler_(request.sampling, setting.texts.count()),
      stream_(setting.tokenizer, true),
      parser_(std::move(parser)),
      constraint_(std::move(constraint)),
      stops_(request.stops),
      history_(prompt) {
}

TextReader::Token AnswerReader::next(std::span<float> logits) {
  const bool held = constraint_ && !parser_->reasons();
  const Measured measured{request_.tokens, request_.top_logprobs};
  const Choice choice = sampler_.choose(logits, history_, held ? &constraint_->mask() : nullptr, measured);
  history_.push_back(choice.id);
  ++chosen_;
  if (setting_.ends.contains(choice.id)) {
    ended_by_itself_ = true;
    return {choice.id, true};
  }
  if (held) constraint_->accept(choice.id);
  if (request_.tokens) waiting_.push_back(told(choice));
  // Rows of the matrix that no token has may be chosen, too: nothing comes of them.
  std::string text = setting_.texts.known(choice.id) ? stream_.push(choice.id) : std::string();
  if (setting_.texts.special(choice.id)) text += parser_->mark(setting_.texts.bytes(choice.id));
  take_text(text);
  ended_by_itself_ = held && constraint_->done();
  const bool enough = request_.max_tokens != 0 && chosen_ >= request_.max_tokens;
  return {choice.id, enough || ended_by_itself_ || stops_.found().has_value()};
}

AnswerToken AnswerReader::told(const Choice& choice) const {
  AnswerToken token{choice.id, choice.logprob, setting_.texts.bytes(choice.id), {}};
  for (const TokenChance& one : choice.top)
    token.top.push_back({one.id, one.logprob, setting_.texts.bytes(one.id)});
  return token;
}

void AnswerReader::take_text(const std::string& text) {
  for (OutputPart& part : parser_->push(text))
    take_part(std::move(part));
  // Text of these tokens is neither held back nor on its way: they stand for none that is shown.
  if (!waiting_.empty() && !parser_->holds() && !stops_.holds() && !stops_.found()) queue({});
}

// Stop strings are looked for in the answer: reasoning and calls have forms of their own.
void AnswerReader::take_part(OutputPart part) {
  if (stops_.found()) return;
  if (part.channel == Channel::answer) {
    part.text = stops_.push(part.text);
  } else if (std::string before = stops_.finish(); !before.empty()) {
    queue({Channel::answer, std::move(before), {}, 0, {}});
  }
  called_tools_ = called_tools_ || part.channel == Channel::tool_call;
  if (part.text.empty() && !part.tool_name) return;
  queue({part.channel, std::move(part.text), std::move(part.tool_name), part.tool_call, {}});
}

void AnswerReader::queue(TextPiece piece) {
  piece.tokens = std::exchange(waiting_, {});
  pieces_.push_back(std::move(piece));
}

void AnswerReader::deliver() {
  while (!pieces_.empty()) {
    const TextPiece piece = std::move(pieces_.front());
    pieces_.pop_front();
    sink_.piece(piece);
  }
}

void AnswerReader::finish() {
  if (!stops_.found()) take_text(stream_.finish());
  if (!stops_.found()) {
    for (OutputPart& part : parser_->finish())
      take_part(std::move(part));
  }
  if (!stops_.found()) {
    if (std::string rest = stops_.finish(); !rest.empty() || !waiting_.empty())
      queue({Channel::answer, std::move(rest), {}, 0, {}});
  }
  deliver();
}

void AnswerReader::report(TextReport& report) const {
  report.answer_tokens = chosen_;
  report.stop = stops_.found();
  if (stops_.found())
    report.finish = Finish::stop;
  else if (!ended_by_itself_)
    report.finish = Finish::length;
  else
    report.finish = called_tools_ ? Finish::tool_calls : Finish::stop;
}

}  // namespace engines::decoding
