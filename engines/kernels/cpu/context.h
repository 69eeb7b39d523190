// SPDX-License-Identifier: Apache-2.0
// What the operations share: threads, scratch memory that is kept, and how work is cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engines/tensor/tensor.h"
#include "engines/threading/thread_pool.h"

namespace engines::cpu {

// Memory that grows to the greatest demand and stays, so that a shape seen before allocates nothing.
class Scratch {
 public:
  // `count` floats aligned to 64 bytes, uninitialised, valid until the next call.
  float* floats(std::int64_t count) {
    const auto wanted = static_cast<std::size_t>(count);
    if (wanted > buffer_.size()) {
      buffer_ = FloatBuffer();
      buffer_ = FloatBuffer(wanted);
    }
    return buffer_.data();
  }

 private:
  FloatBuffer buffer_;
};

struct Context {
  explicit Context(int threads) : pool(threads), thread_scratch(static_cast<std::size_t>(pool.threads())) {}

  // Gives every thread room for `count` floats; which of them meets a piece first is chance.
  void reserve(std::int64_t count) {
    for (Scratch& scratch : thread_scratch)
      scratch.floats(count);
  }

  ThreadPool pool;
  std::vector<Scratch> thread_scratch;  // by the pool's thread number; reserve before a loop, take inside
  // Filled before a loop and read by all of its pieces: weights unpacked, then perhaps rearranged.
  Scratch shared_scratch;
  Scratch arranged_scratch;
};

// A half-open range cut into blocks of equal size, the last one perhaps shorter.
struct Blocks {
  std::int64_t total = 0;
  std::int64_t size = 1;

  // Blocks of about equal size, not above `largest` (a multiple of `multiple`), a multiple of `multiple`
  // each.
  static Blocks of(std::int64_t total, std::int64_t largest, std::int64_t multiple = 1) {
    const std::int64_t count = std::max<std::int64_t>(1, (total + largest - 1) / largest);
    const std::int64_t size = (total + count - 1) / count;
    return {total, std::max<std::int64_t>(1, (size + multiple - 1) / multiple * multiple)};
  }

  std::int64_t count() const { return (total + size - 1) / size; }
  std::int64_t first(std::int64_t i) const { return i * size; }
  std::int64_t length(std::int64_t i) const { return std::min(size, total - i * size); }
};

// Below this many floats a loop that does little with each is not worth a second thread.
constexpr std::int64_t kFloatsPerPiece = 16384;

// Calls body(first_row, rows) for blocks of rows that hold about kFloatsPerPiece floats.
template <class Body>
void for_row_blocks(Context& context, std::int64_t rows, std::int64_t cols, const Body& body) {
  if (rows == 0 || cols == 0) return;
  const Blocks blocks{rows, std::max<std::int64_t>(1, kFloatsPerPiece / cols)};
  context.pool.parallel_for(
      blocks.count(), [&](std::int64_t piece, int) { body(blocks.first(piece), blocks.length(piece)); });
}

}  // namespace engines::cpu
