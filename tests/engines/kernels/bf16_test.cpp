// SPDX-License-Identifier: Apache-2.0
// What products in bf16 are made from: operands rounded, and the softmax whose probabilities are.
#include "engines/kernels/cpu/simd/rounded_softmax.h"
#include "engines/kernels/cpu/simd/unpack.h"
#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

TEST(Bf16Operands, are_rounded_to_the_nearest_bf16_whatever_their_bits) {
  std::vector<float> values;
  for (std::uint32_t upper = 0; upper < 65536; ++upper)
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
  values.resize(values.size() - 3);  // no whole number of vectors
  std::vector<std::uint16_t> rounded(values.size());
  const auto count = static_cast<std::int64_t>(values.size());
  cpu::unpack_bf16(rounded.data(), view_of(values, {count}), 0, count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float actual = bf16_to_float(rounded[i]);
    const float expected = nearest_bf16(values[i]);
    const bool same = std::isnan(expected)
                          ? std::isnan(actual)
                          : std::bit_cast<std::uint32_t>(actual) == std::bit_cast<std::uint32_t>(expected);
    ASSERT_TRUE(same) << std::hexfloat << values[i] << " became " << actual << ", expected " << expected;
  }
}

// What rounded_softmax_tile makes of one row.
struct Softmax {
  std::vector<float> probabilities;
  float maximum = -std::numeric_limits<float>::infinity(), sum = 0, correction = 0;

  Softmax(const std::vector<float>& scores, float scale) {
    const auto count = static_cast<std::int64_t>(scores.size());
    std::vector<std::uint16_t> bits(scores.size());
    cpu::rounded_softmax_tile(bits.data(), ConstRows(scores.data(), 1, count), count, 0, scale,
                              {&maximum, &sum, &correction});
    for (const std::uint16_t value : bits)
      probabilities.push_back(bf16_to_float(value));
  }
};

TEST(RoundedSoftmax, rises_with_the_score_and_is_close_to_the_exponential_everywhere) {
  std::vector<float> scores;
  for (double score = -95; score < 0; score += 0.00093)
    scores.push_back(static_cast<float>(score));
  scores.push_back(0);
  const Softmax softmax(scores, 1);
  double sum = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double actual = softmax.probabilities[i];
    const double exact = std::exp(double{scores[i]});
    // The argument, in units of log 2, is rounded as often as the score is multiplied and reduced.
    const double relative = kBf16Unit + 0x1p-18 + 4 * kUnit * (1 + std::abs(scores[i]));
    if (exact > 1.01 * kSmallestNormal) {
      EXPECT_NEAR(actual, exact, relative * exact) << scores[i];
    } else if (exact < 0.99 * kSmallestNormal) {
      EXPECT_EQ(actual, 0) << scores[i];
    }
    EXPECT_GE(actual, i == 0 ? 0 : softmax.probabilities[i - 1]) << scores[i];
    sum += actual;
  }
  EXPECT_EQ(softmax.probabilities.back(), 1);
  EXPECT_NEAR(softmax.sum, sum, static_cast<double>(scores.size()) * kUnit * sum);
}

TEST(RoundedSoftmax, stays_finite_where_scores_are_not) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Softmax softmax(std::vector<float>{-infinity, 3e38f, -3e38f, 0, 3e38f}, 1);
  EXPECT_THAT(softmax.probabilities, testing::ElementsAre(0, 1, 0, 0, 1));
  EXPECT_EQ(softmax.sum, 2);
}

}  // namespace
}  // namespace engines
