// SPDX-License-Identifier: Apache-2.0
// Decoders: from tokens to text, token by token, so that text leaves as soon as it is complete.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/tokenizer/stage_config.h"

namespace engines {

// A part of a token: tokens come in one part unless a step before joined them.
struct TokenPart {
  std::string text;  // valid UTF-8
  bool first = true;
  bool last = true;
};

// One step of decoding one sequence of tokens. A step passes what it has made to the next one.
class DecodeStep {
 public:
  virtual ~DecodeStep() = default;
  virtual void push(TokenPart part) = 0;
  // No token follows: passes on what is held. The next step is finished by the caller.
  virtual void finish() {}
  void set_next(DecodeStep* next) { next_ = next; }

 protected:
  void pass(TokenPart part) const { next_->push(std::move(part)); }

 private:
  DecodeStep* next_ = nullptr;
};

// What makes the steps of a decoder anew for each sequence. `eager`: characters that tokens of bytes make
// leave at once, not only when it is known that all bytes in a row are valid.
using DecodeStepMaker = std::function<std::unique_ptr<DecodeStep>(bool eager)>;

// MODEL_INVALID with place and value for what is not supported or damaged.
std::vector<DecodeStepMaker> make_decoder(const StageConfig& component);
// Without a decoder tokens are joined by spaces.
std::vector<DecodeStepMaker> default_decoder();

// A sequence of tokens on its way to text.
class Decoding {
 public:
  Decoding(const std::vector<DecodeStepMaker>& makers, bool eager);
  // The text that a token completes. Together with that of `finish` it is the text of all tokens.
  std::string push(const std::string& token);
  std::string finish();

 private:
  class Sink;
  std::vector<std::unique_ptr<DecodeStep>> steps_;  // the last one is the sink
};

}  // namespace engines
