// SPDX-License-Identifier: Apache-2.0
// One text of a batch: what is asked, who reads its logits, and how far it is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "engines/text/language_model.h"

namespace engines::decoding {

// Who chooses the tokens of a text. All on the thread that runs it, but `cancelled`.
class TextReader {
 public:
  virtual ~TextReader() = default;
  // Whether to stop. [any-thread]
  virtual bool cancelled() = 0;
  // So many ids of the prompt are read, of `all`.
  virtual void read(std::int64_t done, std::int64_t all) = 0;
  struct Token {
    std::int32_t id = 0;
    bool last = false;
  };
  // The token behind those so far. `logits`, of the whole vocabulary, may be changed.
  virtual Token next(std::span<float> logits) = 0;
  // Time to hand on what became of the tokens: the model already computes what follows.
  virtual void deliver() = 0;
};

struct BatchInput {
  std::vector<std::int32_t> prompt;
  std::int64_t window = 0;  // ids that prompt and answer may have together
  bool shift = false;       // when it is full: drop the oldest ids behind the first `keep`, or end
  std::int64_t keep = 0;
};

struct BatchReport {
  bool full = false;        // ended by the window
  std::int64_t cached = 0;  // ids of the prompt that were there from an earlier text
  std::chrono::nanoseconds waited{}, prompt{}, answer{};
};

// Half of what is behind the first `keep` ids, the older half, is dropped.
std::vector<std::int32_t> shifted(const std::vector<std::int32_t>& ids, std::int64_t keep);

// Guarded by the batcher's mutex, except what its thread and the reader's hand each other by `phase`.
struct BatchText {
  using Clock = std::chrono::steady_clock;
  enum class Phase {
    ready,      // may be part of the next pass
    computing,  // is part of the present one; the batcher's thread alone touches it
    chosen_of,  // its logits are there; the reader's thread alone touches it
    gone        // failed, with `failure`
  };

  BatchText(BatchInput&& asked, TextReader& who);

  // Ids that the next pass reads: of the prompt the next piece, else the last ones with the guess behind
  // them.
  TextRows next_rows(std::int64_t piece);
  bool reads_prompt() const { return held() < read_in_pieces; }
  std::int64_t held() const { return state ? state->size() : 0; }
  // The room in the window for a guess behind the ids.
  std::int64_t guess_room() const;
  // Whether the text can go on: where the window is full, old ids are dropped or that is its end.
  bool meet_window(std::int64_t piece);

  BatchInput input;
  TextReader& reader;
  Phase phase = Phase::ready;
  bool busy = false;  // the reader's thread hands tokens on and is not waited for
  bool cancelled = false;
  bool ended = false;
  std::vector<std::int32_t> ids;                // prompt and answer
  std::int64_t read_in_pieces = 0;              // of ids: the prompt, or all after a shift
  std::vector<std::int32_t> guess;              // of ids that may follow
  std::int64_t pause = 0, tokens_to_guess = 0;  // between guesses, where they were wrong
  std::vector<std::int32_t> pending;            // what the present pass reads
  std::unique_ptr<TextState> state;             // null before the first pass, and where memory was short
  std::uint64_t number = 0;                     // in the order of arrival
  bool gave_up = false;                         // its state was taken in this very pass
  bool kept = false;                            // its prompt is for others to begin with
  bool once_more = false;                       // the pass failed and is tried again
  std::uint64_t last_turn = 0;
  std::int64_t progress = 0;  // ids of the prompt that are read
  std::int64_t told = 0;      // as far as the reader knows
  std::int64_t rows = 0;      // of logits, behind the ids and each id of the guess
  std::vector<float> logits;  // [rows, vocab_size]
  std::exception_ptr failure;
  BatchReport report;
  Clock::time_point arrived = Clock::now(), begun, prompt_read;
  std::condition_variable changed;
};

}  // namespace engines::decoding
