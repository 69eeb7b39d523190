// SPDX-License-Identifier: Apache-2.0
// States of texts that were read, for texts that begin as they did.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engines/text/language_model.h"

namespace engines::decoding {

// How many ids two texts have in common at their beginnings.
std::int64_t common_prefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

// One thread at a time.
class PrefixStore {
 public:
  // A state is of use only up to a multiple of `piece` ids: that is how prompts are cut, and what was
  // computed in other cuts has other bits.
  PrefixStore(LanguageModel& model, std::int64_t piece) : model_(model), piece_(piece) {}

  // A state that holds the longest common beginning with `ids`, without the last of them; null when there is
  // none.
  std::unique_ptr<TextState> take(std::span<const std::int32_t> ids);
  // Keeps what the state has of these ids, its first ones, which were read in pieces.
  void keep(std::span<const std::int32_t> read, const TextState& state);

  // As if each were alone.
  std::uint64_t bytes() const { return bytes_; }
  bool empty() const { return kept_.empty(); }
  // Forgets the one that was used least recently.
  void drop_oldest();

 private:
  struct Kept {
    std::vector<std::int32_t> ids;
    std::unique_ptr<TextState> state;
    std::uint64_t bytes = 0;
  };
  std::int64_t usable(std::int64_t tokens) const { return tokens / piece_ * piece_; }
  void forget(std::size_t index);

  LanguageModel& model_;
  std::int64_t piece_;
  std::vector<Kept> kept_;  // the most recently used last
  std::uint64_t bytes_ = 0;
};

}  // namespace engines::decoding
