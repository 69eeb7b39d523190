// SPDX-License-Identifier: Apache-2.0
// q4_K and q6_K: what a quantiser must hold whatever its search, and that the search is worth its time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "engines/tensor/quantise.h"
#include "tests/engines/tensor/block_bounds.h"

namespace engines {
namespace {

constexpr Dtype kTypes[] = {Dtype::q4_K, Dtype::q6_K};

using Bytes = std::vector<std::byte>;

std::int64_t quantise_into(Bytes& out, Dtype to, const std::vector<float>& x) {
  const auto count = static_cast<std::int64_t>(x.size());
  out.resize(static_cast<std::size_t>(bytes_of(to, count)));
  return quantise(out.data(), to, reinterpret_cast<const std::byte*>(x.data()), Dtype::f32, count);
}

std::vector<float> rounded(Dtype to, const std::vector<float>& x) {
  Bytes blocks;
  EXPECT_EQ(quantise_into(blocks, to, x), static_cast<std::int64_t>(x.size()));
  std::vector<float> values(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    values[i] = load_as_float(blocks.data(), to, i);
  return values;
}

std::vector<float> normal_values(std::size_t count, double mean = 0, double deviation = 1) {
  std::mt19937 random(17);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<float> x(count);
  for (float& value : x)
    value = static_cast<float>(normal(random));
  return x;
}

double relative_error(const std::vector<float>& actual, const std::vector<float>& exact) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    difference += (double{actual[i]} - exact[i]) * (double{actual[i]} - exact[i]);
    size += double{exact[i]} * exact[i];
  }
  return std::sqrt(difference / size);
}

TEST(QuantiseSuperBlocks, name_the_element_that_is_not_finite_or_too_great) {
  for (const Dtype to : kTypes)
    for (const float bad :
         {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::max(), -3e9f})
      for (const std::size_t place : {0, 255, 256, 700}) {
        std::vector<float> x(768, 0.5f);
        x[place] = bad;
        Bytes out;
        EXPECT_EQ(quantise_into(out, to, x), static_cast<std::int64_t>(place)) << name_of(to) << " " << bad;
      }
}

// A scale of f16's greatest times 63 times 13.5, the lowest that the search lets a peak have; or 128
// and 30.5.
TEST(QuantiseSuperBlocks, hold_great_numbers_that_f16_scales_reach) {
  std::vector<float> x(256, 1);
  x[40] = 65504.0f * 63 * 13;
  EXPECT_NEAR(rounded(Dtype::q4_K, x)[40], x[40], 0x1p-11 * x[40]);
  x[40] = -65504.0f * 128 * 30;
  EXPECT_NEAR(rounded(Dtype::q6_K, x)[40], x[40], -0x1p-11 * x[40]);
}

TEST(QuantiseSuperBlocks, keep_zeros_and_what_is_too_small_for_a_scale) {
  for (const float tiny : {0.0f, -0.0f, 1e-45f, 1e-38f, -3e-39f, 1e-12f})
    for (const Dtype to : kTypes)
      EXPECT_EQ(rounded(to, std::vector<float>(256, tiny))[9], 0) << name_of(to) << " of " << tiny;
}

// 15 levels of a q4_K sub-block and 63 of a q6_K one that starts from its peak can be said exactly when
// scales are powers of two.
TEST(QuantiseSuperBlocks, say_exactly_what_lies_on_their_levels) {
  std::vector<float> x(256);
  for (std::size_t j = 0; j < 256; ++j)
    x[j] = 0.25f * 63 * static_cast<float>(j % 16) - 0.125f * 63 * static_cast<float>(j / 32 % 2 ? 0 : 1);
  EXPECT_EQ(rounded(Dtype::q4_K, x), x);
  for (std::size_t j = 0; j < 256; ++j)
    x[j] = 0.25f * 128 * (static_cast<float>(j * 7 % 16 * 4) - 32);
  EXPECT_EQ(rounded(Dtype::q6_K, x), x);
}

TEST(QuantiseSuperBlocks, stay_within_what_plain_rounding_of_the_format_gives) {
  for (const auto& x :
       {normal_values(256 * 64), normal_values(256 * 64, 3, 0.5), normal_values(256 * 64, -3, 2)}) {
    for (const Dtype to : kTypes) {
      Bytes blocks;
      quantise_into(blocks, to, x);
      for (std::size_t i = 0; i < x.size() / 256; ++i) {
        const std::byte* const block = blocks.data() + i * static_cast<std::size_t>(block_bytes(to));
        ASSERT_LE(test::squared_error(to, block, &x[256 * i]), test::squared_error_bound(to, &x[256 * i]))
            << name_of(to) << " block " << i;
      }
    }
  }
}

// The same 4.5 bits in super-blocks must beat q4_0, or nobody would need them, and each bit more must halve
// the error about: q6_K has 4 times the levels of q4_0, q8_0 16 times.
TEST(QuantiseSuperBlocks, are_better_than_plain_blocks_of_the_same_size) {
  const std::vector<float> x = normal_values(256 * 256);
  const double q4 = relative_error(rounded(Dtype::q4_0, x), x);
  const double q4_K = relative_error(rounded(Dtype::q4_K, x), x);
  const double q6_K = relative_error(rounded(Dtype::q6_K, x), x);
  const double q8 = relative_error(rounded(Dtype::q8_0, x), x);
  EXPECT_LT(q4_K, 0.9 * q4);
  EXPECT_LT(q6_K, q4 / 4);
  EXPECT_GT(q6_K, q8);
}

TEST(QuantiseSuperBlocks, serve_rows_that_lie_on_one_side_of_zero) {
  const std::vector<float> below = normal_values(256 * 16, -5, 0.5);
  const std::vector<float> above = normal_values(256 * 16, 5, 0.5);
  EXPECT_LT(relative_error(rounded(Dtype::q4_K, below), below), 0.02) << "the minimum takes the mean away";
  EXPECT_LT(relative_error(rounded(Dtype::q4_K, above), above), 1.0 / 15) << "levels begin at zero";
}

TEST(QuantiseSuperBlocks, give_the_same_bytes_every_time_and_at_every_address) {
  const std::vector<float> x = normal_values(256 * 8);
  for (const Dtype to : kTypes) {
    Bytes once;
    quantise_into(once, to, x);
    Bytes source(x.size() * 4 + 1);
    std::memcpy(source.data() + 1, x.data(), x.size() * 4);
    Bytes again(once.size() + 1);
    quantise(again.data() + 1, to, source.data() + 1, Dtype::f32, static_cast<std::int64_t>(x.size()));
    again.erase(again.begin());
    EXPECT_EQ(once, again) << name_of(to);
  }
}

TEST(Convert, rounds_floats_to_the_nearest_and_then_to_the_even_one) {
  const std::vector<float> x = {1,     1 + 0x1p-8f,  1 + 3 * 0x1p-8f, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f,
                                -0.0f, std::nanf("")};
  std::vector<std::uint16_t> halves(x.size());
  auto* const out = reinterpret_cast<std::byte*>(halves.data());
  const auto* const data = reinterpret_cast<const std::byte*>(x.data());
  EXPECT_EQ(convert(out, Dtype::bf16, data, Dtype::f32, 7), 7);
  EXPECT_EQ(halves[0], 0x3f80);
  EXPECT_EQ(halves[1], 0x3f80);
  EXPECT_EQ(halves[2], 0x3f82);
  EXPECT_EQ(halves[5], 0x8000);
  EXPECT_TRUE(std::isnan(bf16_to_float(halves[6])));
  EXPECT_EQ(convert(out, Dtype::f16, data, Dtype::f32, 7), 7);
  EXPECT_EQ(halves[3], 0x3c00);
  EXPECT_EQ(halves[4], 0x3c02);
  EXPECT_TRUE(std::isnan(f16_to_float(halves[6])));
}

TEST(Convert, names_what_the_type_cannot_hold_and_lets_infinities_be) {
  std::vector<float> x(2000, 1);
  x[3] = INFINITY;
  x[1500] = 65520;
  x[1600] = 1e9f;
  std::vector<std::uint16_t> halves(x.size());
  auto* const out = reinterpret_cast<std::byte*>(halves.data());
  const auto* const data = reinterpret_cast<const std::byte*>(x.data());
  EXPECT_EQ(convert(out, Dtype::f16, data, Dtype::f32, 2000), 1500);
  EXPECT_EQ(halves[3], 0x7c00);
  EXPECT_EQ(convert(out, Dtype::bf16, data, Dtype::f32, 2000), 2000);
  x[1700] = std::numeric_limits<float>::max();
  EXPECT_EQ(convert(out, Dtype::bf16, data, Dtype::f32, 2000), 1700);
}

TEST(Convert, takes_quantised_weights_for_their_values) {
  const std::vector<float> x = normal_values(256 * 8);
  Bytes blocks;
  quantise_into(blocks, Dtype::q6_K, x);
  const std::vector<float> values = rounded(Dtype::q6_K, x);
  std::vector<float> floats(x.size());
  const auto count = static_cast<std::int64_t>(x.size());
  EXPECT_EQ(
      convert(reinterpret_cast<std::byte*>(floats.data()), Dtype::f32, blocks.data(), Dtype::q6_K, count),
      count);
  EXPECT_EQ(floats, values);
  Bytes directly, again(static_cast<std::size_t>(bytes_of(Dtype::q8_0, count)));
  quantise_into(directly, Dtype::q8_0, values);
  EXPECT_EQ(convert(again.data(), Dtype::q8_0, blocks.data(), Dtype::q6_K, count), count);
  EXPECT_EQ(again, directly);
}

}  // namespace
}  // namespace engines
