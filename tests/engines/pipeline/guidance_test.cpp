// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/guidance.h"

#include <gtest/gtest.h>

#include <array>

namespace engines {
namespace {

TEST(Guidance, IsOffWithoutAScale) {
  EXPECT_FALSE((Guidance{0, 0, 1}.applies_at(0)));
  EXPECT_TRUE((Guidance{0.1, 0, 1}.applies_at(0)));
}

TEST(Guidance, StopsWhereTimeExceedsTheTruncation) {
  const Guidance guidance{4, 0, 0.25};
  EXPECT_TRUE(guidance.applies_at(0.25F)) << "0.25 is exact in float";
  EXPECT_FALSE(guidance.applies_at(0.26F));
}

TEST(Guidance, ComparesTheFloatTimeWithTheDoubleTruncationAsTheReference) {
  EXPECT_FALSE((Guidance{4, 0, 0.4}.applies_at(0.4F))) << "0.4F is larger than 0.4";
  EXPECT_TRUE((Guidance{4, 0, 0.7}.applies_at(0.7F))) << "0.7F is smaller than 0.7";
}

TEST(Guidance, NeverStopsWithATruncationAboveOne) {
  EXPECT_TRUE((Guidance{4, 0, 1.5}.applies_at(1.75F)));
  EXPECT_TRUE((Guidance{4, 0, 1}.applies_at(1)));
}

class Guided : public testing::Test {
 protected:
  std::array<float, 2> positive{3, 4}, negative{3, 2}, out{};
};

TEST_F(Guided, GoesOnFromNegativeToPositive) {
  guide({2, 0, 1}, positive, negative, out);
  EXPECT_EQ(out, (std::array<float, 2>{3, 8}));
}

TEST_F(Guided, NormalizationReducesALongerPredictionToTheMultipleOfThePositivesNorm) {
  guide({2, 1, 1}, positive, negative, out);
  EXPECT_NEAR(out[0] * out[0] + out[1] * out[1], 25, 25e-6);
  EXPECT_NEAR(out[1] / out[0], 8.0 / 3, 1e-5) << "the direction stays";
}

TEST_F(Guided, NormalizationLeavesAShorterPredictionAlone) {
  guide({2, 2, 1}, positive, negative, out);
  EXPECT_EQ(out, (std::array<float, 2>{3, 8})) << "its norm 8.5 is below 2 * 5";
}

}  // namespace
}  // namespace engines
