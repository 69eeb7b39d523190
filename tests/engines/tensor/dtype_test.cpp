// SPDX-License-Identifier: Apache-2.0
// Stored types: their sizes, and rounding to f16 against every f16 there is.
#include "engines/tensor/dtype.h"

#include <gtest/gtest.h>

#include <cmath>

namespace engines {
namespace {

TEST(Dtype, blocks_have_the_bytes_of_ggml) {
  EXPECT_EQ(bytes_of(Dtype::q8_0, 32), 34);
  EXPECT_EQ(bytes_of(Dtype::q4_0, 32), 18);
  EXPECT_EQ(bytes_of(Dtype::q4_0, 3840 * 96), 3840 * 96 / 32 * 18);
  EXPECT_EQ(bytes_of(Dtype::q8_0, 0), 0);
  EXPECT_EQ(bytes_of(Dtype::f32, 7), 28);
  EXPECT_EQ(bytes_of(Dtype::bf16, 7), 14);
  EXPECT_EQ(bytes_of(Dtype::f16, std::int64_t{1} << 61), std::int64_t{1} << 62);
}

TEST(Dtype, elements_of_a_block_lie_where_ggml_has_them) {
  std::byte q8[2 * 34] = {};
  q8[34] = std::byte{0x00};  // the second block's scale is 0.5
  q8[35] = std::byte{0x38};
  q8[36] = std::byte{0x80};
  q8[36 + 31] = std::byte{0x7f};
  EXPECT_EQ(load_as_float(q8, Dtype::q8_0, 0), 0);
  EXPECT_EQ(load_as_float(q8, Dtype::q8_0, 32), -64);
  EXPECT_EQ(load_as_float(q8, Dtype::q8_0, 63), 63.5f);

  std::byte q4[2 * 18] = {};
  q4[18] = std::byte{0x00};  // the second block's scale is -2
  q4[19] = std::byte{0xc0};
  q4[20] = std::byte{0xf1};
  q4[20 + 15] = std::byte{0x0a};
  EXPECT_EQ(load_as_float(q4, Dtype::q4_0, 32), 14);
  EXPECT_EQ(load_as_float(q4, Dtype::q4_0, 32 + 16), -14);
  EXPECT_EQ(load_as_float(q4, Dtype::q4_0, 32 + 15), -4);
  EXPECT_EQ(load_as_float(q4, Dtype::q4_0, 32 + 31), 16);
}

TEST(Dtype, every_f16_comes_back_from_its_float) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = f16_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(f16_to_float(float_to_f16(value)))) << bits;
    else
      EXPECT_EQ(float_to_f16(value), bits);
  }
}

// Between two neighbours the middle goes to the even one and everything else to the nearer.
TEST(Dtype, floats_between_two_f16_go_to_the_nearer_and_then_to_the_even_one) {
  for (std::uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const float below = f16_to_float(bits);
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const float middle = below + (f16_to_float(next) - below) / 2;  // exact: a bit more than f16 has
    EXPECT_EQ(float_to_f16(middle), bits % 2 == 0 ? bits : next);
    EXPECT_EQ(float_to_f16(std::nextafter(middle, 0.0f)), bits);
    EXPECT_EQ(float_to_f16(-std::nextafter(middle, 1e9f)), next | 0x8000);
  }
}

TEST(Dtype, what_is_beyond_the_largest_f16_becomes_infinity) {
  EXPECT_EQ(float_to_f16(65519.996f), 0x7bff);
  EXPECT_EQ(float_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_f16(-3e38f), 0xfc00);
  EXPECT_EQ(float_to_f16(INFINITY), 0x7c00);
}

}  // namespace
}  // namespace engines
