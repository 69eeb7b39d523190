// SPDX-License-Identifier: Apache-2.0
// A causal language model as those who decode with it see it: rows of tokens of several texts to logits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engines/tensor/run.h"
#include "engines/tensor/tensor.h"

namespace engines {

// Where the keys and values of one text lie. Made by the model that it is for. One pass at a time.
class TextState {
 public:
  virtual ~TextState() = default;
  virtual std::int64_t size() const = 0;  // tokens that it holds
  // Forgets all but the first `tokens` tokens.
  virtual void truncate(std::int64_t tokens) = 0;
  // Another text that begins with the first `tokens` tokens of this one: both hold the same memory until one
  // of them writes to it. From then on they know nothing of each other.
  virtual std::unique_ptr<TextState> fork(std::int64_t tokens) const = 0;
};

// Tokens of one text that a pass reads. They come behind those in `state`, which then holds them too.
struct TextRows {
  TextState* state = nullptr;
  std::span<const std::int32_t> ids;
  // Of how many of them, counted from the end, logits are wanted.
  std::int64_t wanted = 0;
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  virtual std::int64_t vocab_size() const = 0;
  virtual std::int64_t window() const = 0;  // tokens that the model was made for
  virtual std::unique_ptr<TextState> make_state() = 0;
  // Memory that a state takes for so many tokens, alone.
  virtual std::uint64_t state_bytes(std::int64_t tokens) const = 0;
  // What all states of the model hold together now.
  virtual std::uint64_t held_bytes() const = 0;
  // The weights that a token reads, as held.
  virtual std::uint64_t weight_bytes() const = 0;

  // Reads the rows of all texts in one pass; logits: [sum of wanted, vocab_size], in their order. **A text's
  // logits are the same bits whatever other texts are in the pass.** Texts of at most kFewRows ids share
  // products; longer ones (pieces of prompts) are computed one after the other, so that the same piece is the
  // same product. How a prompt is cut into pieces is thus part of its result: cut it the same way always.
  // Throws OUT_OF_MEMORY before anything is computed; CANCELLED between layers: all states are then as
  // before.
  virtual void forward(std::span<const TextRows> texts, Rows logits, Run& run) = 0;
  static constexpr std::int64_t kFewRows = 8;
};

}  // namespace engines
