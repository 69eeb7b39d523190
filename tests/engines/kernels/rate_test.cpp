// SPDX-License-Identifier: Apache-2.0
// A rate of every type of weights, however short the time.
#include "engines/kernels/rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace engines {
namespace {

TEST(LinearRate, IsANumberForEveryTypeAndCountsNothing) {
  const auto kernels = make_reference_kernels();
  for (std::size_t i = 0; i < kDtypes; ++i) {
    const double rate = linear_rate(*kernels, static_cast<Dtype>(i), 0);
    EXPECT_TRUE(std::isfinite(rate)) << kDtypeLayouts[i].name;
    EXPECT_GT(rate, 0) << kDtypeLayouts[i].name;
  }
  EXPECT_EQ(kernels->operations(), 0U);
}

}  // namespace
}  // namespace engines
