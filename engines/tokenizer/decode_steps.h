// SPDX-License-Identifier: Apache-2.0
// The kinds of decode steps that have files of their own.
#pragma once

#include "engines/tokenizer/decoders.h"

namespace engines {

// Those that turn tokens into bytes and bytes into characters.
std::vector<DecodeStepMaker> make_byte_level_decoder(const StageConfig& component);
std::vector<DecodeStepMaker> make_byte_fallback_decoder(const StageConfig& component);

// A step that needs whole tokens: parts are put together first.
class WholeTokenStep : public DecodeStep {
 public:
  void push(TokenPart part) final {
    text_ += part.text;
    if (!part.last) return;
    std::string token = std::move(text_);
    text_.clear();
    take(std::move(token));
  }

 protected:
  virtual void take(std::string token) = 0;

 private:
  std::string text_;
};

// A maker of steps that are copies of a first one.
template <class Step>
std::vector<DecodeStepMaker> copies_of(Step first) {
  return {[first = std::move(first)](bool) { return std::make_unique<Step>(first); }};
}

}  // namespace engines
