// SPDX-License-Identifier: Apache-2.0
#include "engines/text/kv_cache.h"

#include <gtest/gtest.h>

#include "engines/tensor/error.h"

namespace engines::test {
namespace {

void fill(const KeyValues& rows, std::int64_t first, float value) {
  for (std::int64_t r = first; r < rows.keys.rows; ++r) {
    for (std::int64_t c = 0; c < rows.keys.cols; ++c) {
      rows.keys.row(r)[c] = value;
      rows.values.row(r)[c] = -value;
    }
  }
}

TEST(KvCache, LayersKeepTheirRowsApart) {
  KvCache cache(3, 5, 4);
  for (std::int64_t layer = 0; layer < 3; ++layer)
    fill(cache.with(layer, 4), 0, static_cast<float>(layer + 1));
  cache.advance(4);
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    const KeyValues rows = cache.with(layer, 0);
    EXPECT_EQ(rows.keys.rows, 4);
    for (std::int64_t i = 0; i < 20; ++i) {
      EXPECT_EQ(rows.keys.data[i], static_cast<float>(layer + 1));
      EXPECT_EQ(rows.values.data[i], -static_cast<float>(layer + 1));
    }
  }
}

TEST(KvCache, WhatIsTruncatedIsWrittenAgain) {
  KvCache cache(1, 2, 4);
  fill(cache.with(0, 3), 0, 7);
  cache.advance(3);
  cache.truncate(1);
  EXPECT_EQ(cache.size(), 1);
  const KeyValues rows = cache.with(0, 1);
  EXPECT_EQ(rows.keys.rows, 2);
  fill(rows, 1, 9);
  EXPECT_EQ(rows.keys.row(0)[1], 7);
  EXPECT_EQ(rows.keys.row(1)[0], 9);
}

TEST(KvCache, TakesWhatItSays) {
  EXPECT_EQ(KvCache::bytes(28, 1024, 4096), 28ULL * 2 * 1024 * 4096 * 4);
  EXPECT_THROW(KvCache(1 << 20, 1 << 20, 1 << 20), Error);
}

}  // namespace
}  // namespace engines::test
