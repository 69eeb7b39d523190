// SPDX-License-Identifier: Apache-2.0
// A map that is not there, read from top to bottom several times.
#include "engines/vae/map_rows.h"

#include <gtest/gtest.h>

#include <map>

namespace engines::testing {
namespace {

constexpr MapShape kShape{2, 11, 3};

float value(std::int64_t channel, std::int64_t row, std::int64_t col) {
  return static_cast<float>(1000 * channel + 10 * row + col);
}

class MapRowsKeeping : public ::testing::TestWithParam<std::int64_t> {
 protected:
  const std::unique_ptr<Kernels> kernels_ = make_reference_kernels();
  MemoryCount memory_;
  std::map<std::int64_t, int> made_;  // how often each row was
  MapRows map_{*kernels_, memory_, RowPlan{kShape, 3, GetParam()}, [this](std::int64_t first, Planes rows) {
                 for (std::int64_t c = 0; c < rows.channels; ++c)
                   for (std::int64_t i = 0; i < rows.height; ++i)
                     for (std::int64_t j = 0; j < rows.width; ++j)
                       rows.row(c, i)[j] = value(c, first + i, j);
                 for (std::int64_t i = 0; i < rows.height; ++i)
                   ++made_[first + i];
               }};

  static void expect_rows(const Strip& strip, std::int64_t first, std::int64_t count) {
    ASSERT_EQ(strip.first, first);
    ASSERT_EQ(strip.height, kShape.height);
    ASSERT_EQ(strip.planes.height, count);
    for (std::int64_t c = 0; c < kShape.channels; ++c)
      for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t j = 0; j < kShape.width; ++j)
          ASSERT_EQ(strip.planes.row(c, i)[j], value(c, first + i, j));
  }
};

TEST_P(MapRowsKeeping, GivesEveryRowAndItsNeighboursInEveryPass) {
  for (int pass = 0; pass < 3; ++pass) {
    for (std::int64_t first = 0; first < 11; first += 3) {
      const std::int64_t rows = std::min<std::int64_t>(3, 11 - first);
      if (pass != 1) expect_rows(map_.rows(first, rows), first, rows);
      if (pass != 1) continue;
      const std::int64_t begin = std::max<std::int64_t>(0, first - 1);
      expect_rows(map_.around(first, rows), begin, std::min<std::int64_t>(11, first + rows + 1) - begin);
    }
  }
}

TEST_P(MapRowsKeeping, MakesKeptRowsOnceAndTheOthersAtMostOnceAPass) {
  for (int pass = 1; pass <= 3; ++pass) {
    for (std::int64_t first = 0; first < 11; first += 3)
      map_.around(first, std::min<std::int64_t>(3, 11 - first));
    ASSERT_EQ(made_.size(), 11U);
    for (const auto& [row, times] : made_)
      EXPECT_LE(times, row < GetParam() ? 1 : pass) << "row " << row;
  }
}

TEST_P(MapRowsKeeping, HoldsWhatItsPlanSays) {
  EXPECT_EQ(memory_.live, map_.plan().bytes());
  EXPECT_EQ(memory_.live, (GetParam() == 11 ? 11U : GetParam() + 5U) * 2 * 3 * sizeof(float));
}

INSTANTIATE_TEST_SUITE_P(Rows, MapRowsKeeping, ::testing::Values(0, 1, 3, 4, 5, 10, 11));

}  // namespace
}  // namespace engines::testing
