// SPDX-License-Identifier: Apache-2.0
// From logits to the pieces of an answer.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engines/decoding/batch_text.h"
#include "engines/decoding/constraint.h"
#include "engines/decoding/end_tokens.h"
#include "engines/decoding/output_parser.h"
#include "engines/decoding/stop_text.h"
#include "engines/decoding/text_values.h"
#include "engines/decoding/token_texts.h"

namespace engines::decoding {

// What a model brings to every answer.
struct AnswerSetting {
  const Tokenizer& tokenizer;
  const TokenTexts& texts;
  const EndTokens& ends;
};

class AnswerReader : public TextReader {
 public:
  // Everything is borrowed but the parser and the constraint, which may be null: any text. `prompt`: its ids.
  AnswerReader(const AnswerSetting& setting, const TextRequest& request,
               const std::vector<std::int32_t>& prompt, std::unique_ptr<OutputParser> parser,
               std::unique_ptr<Constraint> constraint, TextSink& sink);

  bool cancelled() override { return sink_.cancelled(); }
  void read(std::int64_t done, std::int64_t all) override { sink_.prompt(done, all); }
  Token next(std::span<float> logits) override;
  void deliver() override;

  // The text has ended: what was held back leaves.
  void finish();
  // Of the fields that the reader knows.
  void report(TextReport& report) const;

 private:
  void take_text(const std::string& text);
  void take_part(OutputPart part);
  void queue(TextPiece piece);
  AnswerToken told(const Choice& choice) const;

  const AnswerSetting& setting_;
  const TextRequest& request_;
  TextSink& sink_;
  TokenSampler sampler_;
  TokenStream stream_;
  std::unique_ptr<OutputParser> parser_;
  std::unique_ptr<Constraint> constraint_;
  StopText stops_;
  std::vector<std::int32_t> history_;
  std::vector<AnswerToken> waiting_;  // tokens whose text is held back
  std::deque<TextPiece> pieces_;      // on their way to the sink
  std::uint32_t chosen_ = 0;
  bool ended_by_itself_ = false, called_tools_ = false;
};

}  // namespace engines::decoding
