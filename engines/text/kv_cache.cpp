// SPDX-License-Identifier: Apache-2.0
#include "engines/text/kv_cache.h"

#include <cassert>

namespace engines {

KvCache::KvCache(std::int64_t layers, std::int64_t width, std::int64_t capacity)
    : layers_(layers),
      width_(width),
      capacity_(capacity),
      floats_(static_cast<std::size_t>(2 * layers * width * capacity)) {
}

std::uint64_t KvCache::bytes(std::int64_t layers, std::int64_t width, std::int64_t capacity) {
  return static_cast<std::uint64_t>(2 * layers * width * capacity) * sizeof(float);
}

KeyValues KvCache::with(std::int64_t layer, std::int64_t more) const {
  assert(layer >= 0 && layer < layers_ && more >= 0 && size_ + more <= capacity_);
  float* const keys = floats_.data() + 2 * layer * capacity_ * width_;
  const std::int64_t rows = size_ + more;
  return {{keys, rows, width_}, {keys + capacity_ * width_, rows, width_}};
}

void KvCache::advance(std::int64_t tokens) {
  assert(tokens >= 0 && size_ + tokens <= capacity_);
  size_ += tokens;
}

void KvCache::truncate(std::int64_t tokens) {
  assert(tokens >= 0 && tokens <= size_);
  size_ = tokens;
}

}  // namespace engines
