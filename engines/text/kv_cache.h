// SPDX-License-Identifier: Apache-2.0
// The keys and values that a language model has computed for the tokens of one text so far.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engines/tensor/tensor.h"

namespace engines {

// Of one layer, a row a token: the past, and behind it the tokens that a call is about.
struct KeyValues {
  Rows keys, values;  // [tokens, width] each, of the same size
};

// Float32, one block of memory, taken from the system as it fills. One text; not for several threads at once.
class KvCache {
 public:
  // `width`: of the keys of one token in one layer. Throws OUT_OF_MEMORY.
  KvCache(std::int64_t layers, std::int64_t width, std::int64_t capacity);
  // What one that is full takes.
  static std::uint64_t bytes(std::int64_t layers, std::int64_t width, std::int64_t capacity);

  std::int64_t size() const { return size_; }  // tokens
  std::int64_t capacity() const { return capacity_; }
  std::int64_t layers() const { return layers_; }
  std::int64_t width() const { return width_; }

  // The rows of a layer for the tokens so far and `more` behind them, which the caller fills; size() + more
  // is at most the capacity. Valid as long as the cache.
  KeyValues with(std::int64_t layer, std::int64_t more) const;
  // Says that every layer's next `tokens` rows are filled.
  void advance(std::int64_t tokens);
  // Forgets all but the first `tokens` tokens: another text may go on from a common beginning.
  void truncate(std::int64_t tokens);

 private:
  std::int64_t layers_, width_, capacity_, size_ = 0;
  FloatBuffer floats_;  // [layers, 2, capacity, width]
};

}  // namespace engines
