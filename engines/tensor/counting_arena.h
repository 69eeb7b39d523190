// SPDX-License-Identifier: Apache-2.0
// What an arena would need: the same function lays out what is counted and what an arena then holds.
#pragma once

#include "engines/tensor/tensor.h"

namespace engines {

// Has Arena's shape, and only counts.
class CountingArena {
 public:
  Rows rows(std::int64_t r, std::int64_t c) {
    floats_ += (static_cast<std::size_t>(r * c) + 15) / 16 * 16;  // as Arena::allocate rounds
    return {nullptr, r, c};
  }
  std::size_t floats() const { return floats_; }

 private:
  std::size_t floats_ = 0;
};

}  // namespace engines
