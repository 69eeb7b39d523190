// SPDX-License-Identifier: Apache-2.0
// Quantising against the definition of the types, written down once more as plainly as it goes.
#include "engines/tensor/quantise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace engines {
namespace {

using Bytes = std::vector<std::byte>;

std::size_t size_in(Dtype dtype, std::size_t count) {
  return static_cast<std::size_t>(bytes_of(dtype, static_cast<std::int64_t>(count)));
}

// The definition, with the library's own rounding: blocks of 32 as ggml's reference makes them.
Bytes defined_blocks(Dtype to, const std::vector<float>& x) {
  Bytes out;
  for (std::size_t first = 0; first < x.size(); first += 32) {
    float greatest = 0;
    for (std::size_t j = first; j < first + 32; ++j)
      if (std::abs(x[j]) > std::abs(greatest)) greatest = x[j];
    const float d = to == Dtype::q8_0 ? std::abs(greatest) / 127 : greatest / -8;
    const float by = d == 0 ? 0 : 1 / d;
    const std::uint16_t scale = float_to_f16(d);
    out.push_back(static_cast<std::byte>(scale & 0xff));
    out.push_back(static_cast<std::byte>(scale >> 8));
    const auto quant = [&](std::size_t j) {
      const float scaled = x[first + j] * by;
      return to == Dtype::q8_0 ? static_cast<int>(std::round(scaled))
                               : std::min(15, static_cast<int>(std::floor(scaled + 8.5f)));
    };
    for (std::size_t j = 0; j < (to == Dtype::q8_0 ? 32u : 16u); ++j)
      out.push_back(static_cast<std::byte>(to == Dtype::q8_0 ? quant(j) : quant(j) | quant(j + 16) << 4));
  }
  return out;
}

Bytes quantised(Dtype to, const std::vector<float>& x) {
  Bytes out(size_in(to, x.size()));
  const auto count = static_cast<std::int64_t>(x.size());
  EXPECT_EQ(quantise(out.data(), to, reinterpret_cast<const std::byte*>(x.data()), Dtype::f32, count), count);
  return out;
}

// Rows of many scales, with repeated magnitudes (ties), zeros and values halfway between two quants.
std::vector<float> awkward_values(std::size_t blocks) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> x;
  for (std::size_t b = 0; b < blocks; ++b) {
    const float scale = std::ldexp(1.0f, static_cast<int>(b % 40) - 30);
    for (std::size_t j = 0; j < 32; ++j) {
      float value = normal(random) * scale;
      if (b % 4 == 1)
        value = bf16_to_float(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
      if (b % 4 == 2) value = std::round(4 * normal(random)) * scale / 2;
      if (b % 4 == 3) value = static_cast<float>(static_cast<int>(random() % 255) - 127) * scale / 2;
      x.push_back(b % 37 == 36 ? 0 : value);
    }
  }
  return x;
}

TEST(Quantise, names_the_element_that_is_not_finite) {
  for (const Dtype to : {Dtype::q8_0, Dtype::q4_0})
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
      for (const std::int64_t place : {0, 31, 32, 77, 95}) {
        std::vector<float> x(96, 1.5f);
        x[static_cast<std::size_t>(place)] = bad;
        Bytes out(size_in(to, 96));
        EXPECT_EQ(quantise(out.data(), to, reinterpret_cast<const std::byte*>(x.data()), Dtype::f32, 96),
                  place);
      }
}

TEST(Quantise, sees_infinities_and_nans_of_half_types) {
  for (const auto& [from, bad] :
       {std::pair{Dtype::bf16, 0x7f80}, {Dtype::bf16, 0xffc0}, {Dtype::f16, 0x7c00}, {Dtype::f16, 0xfc01}}) {
    std::vector<std::uint16_t> x(64, 0x3c00);
    x[50] = static_cast<std::uint16_t>(bad);
    Bytes out(size_in(Dtype::q8_0, 64));
    EXPECT_EQ(quantise(out.data(), Dtype::q8_0, reinterpret_cast<const std::byte*>(x.data()), from, 64), 50);
  }
}

TEST(Quantise, names_the_element_whose_scale_f16_cannot_hold) {
  const auto unfit = [](Dtype to, float value) {
    std::vector<float> x(64, 1);
    x[40] = value;
    Bytes out(size_in(to, 64));
    return quantise(out.data(), to, reinterpret_cast<const std::byte*>(x.data()), Dtype::f32, 64);
  };
  EXPECT_EQ(unfit(Dtype::q8_0, 127 * 65504.0f), 64);
  EXPECT_EQ(unfit(Dtype::q8_0, -127 * 65520.0f), 40);
  EXPECT_EQ(unfit(Dtype::q4_0, -8 * 65504.0f), 64);
  EXPECT_EQ(unfit(Dtype::q4_0, 8 * 65520.0f), 40);
  EXPECT_EQ(unfit(Dtype::q4_0, std::numeric_limits<float>::max()), 40);
}

TEST(Quantise, gives_the_blocks_of_the_definition) {
  const std::vector<float> x = awkward_values(4000);
  for (const Dtype to : {Dtype::q8_0, Dtype::q4_0}) {
    const Bytes expected = defined_blocks(to, x);
    const Bytes actual = quantised(to, x);
    const auto difference = std::mismatch(actual.begin(), actual.end(), expected.begin());
    EXPECT_TRUE(difference.first == actual.end())
        << name_of(to) << ": byte " << difference.first - actual.begin() << " differs";
  }
}

TEST(Quantise, rounds_halves_away_from_zero_and_takes_the_first_of_equal_magnitudes) {
  std::vector<float> x(32, 0);
  x[0] = 127;
  x[1] = 0.5f;
  x[2] = -2.5f;
  x[3] = 0.49999997f;
  const Bytes q8 = quantised(Dtype::q8_0, x);
  EXPECT_EQ(load_as_float(q8.data(), Dtype::q8_0, 1), 1);
  EXPECT_EQ(load_as_float(q8.data(), Dtype::q8_0, 2), -3);
  EXPECT_EQ(load_as_float(q8.data(), Dtype::q8_0, 3), 0);
  for (const float first : {8.0f, -8.0f}) {
    std::fill(x.begin(), x.end(), 0.0f);
    x[5] = first;
    x[20] = -first;
    const Bytes q4 = quantised(Dtype::q4_0, x);
    EXPECT_EQ(load_as_float(q4.data(), Dtype::q4_0, 5), first);
    EXPECT_EQ(load_as_float(q4.data(), Dtype::q4_0, 20), first * -7 / 8) << "the other side has a level less";
  }
}

TEST(Quantise, makes_zeros_of_what_is_too_small_for_a_scale) {
  for (const float tiny : {0.0f, -0.0f, 1e-45f, 1e-38f, -3e-39f, 2e-7f}) {
    const std::vector<float> x(32, tiny);
    for (const Dtype to : {Dtype::q8_0, Dtype::q4_0}) {
      const Bytes blocks = quantised(to, x);
      EXPECT_EQ(load_as_float(blocks.data(), to, 9), 0) << name_of(to) << " of " << tiny;
    }
  }
}

TEST(Quantise, takes_every_stored_type_at_odd_addresses) {
  std::mt19937 random(11);
  for (const Dtype from : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    const std::size_t count = 32 * 50;
    Bytes source(size_in(from, count) + 1);
    for (std::size_t i = 0; i < count; ++i) {
      // Any bits but those of infinities and NaNs, below 2^15.
      const auto half = static_cast<std::uint16_t>(random() & (from == Dtype::f16 ? 0xf7ffu : 0xc6ffu));
      const float value = bf16_to_float(half);
      if (from == Dtype::f32)
        std::memcpy(source.data() + 1 + 4 * i, &value, 4);
      else
        std::memcpy(source.data() + 1 + 2 * i, &half, 2);
    }
    std::vector<float> x(count);
    for (std::size_t i = 0; i < count; ++i)
      x[i] = load_as_float(source.data() + 1, from, i);
    for (const Dtype to : {Dtype::q8_0, Dtype::q4_0}) {
      Bytes out(size_in(to, count) + 1);
      EXPECT_EQ(quantise(out.data() + 1, to, source.data() + 1, from, count), 32 * 50);
      out.erase(out.begin());
      EXPECT_EQ(out, defined_blocks(to, x)) << name_of(from) << " to " << name_of(to);
    }
  }
}

// An element is off by half a step at most, by what f16 loses of the scale (2^-11 of it, 2^-25 at least), by
// float's own rounding of x / d (3 roundings of at most 128 steps), and with q4_0 by one step where 16 levels
// end: those go from -8 to 7.
TEST(Quantise, keeps_every_element_within_half_a_step) {
  const std::vector<float> x = awkward_values(4000);
  for (const Dtype to : {Dtype::q8_0, Dtype::q4_0}) {
    const Bytes blocks = quantised(to, x);
    for (std::size_t first = 0; first < x.size(); first += 32) {
      float greatest = 0;
      for (std::size_t j = first; j < first + 32; ++j)
        greatest = std::max(greatest, std::abs(x[j]));
      const double levels = to == Dtype::q8_0 ? 127 : 8;
      const double step = greatest / levels;
      const double of_scale = levels * std::max(step * 0x1p-11, 0x1p-25);
      for (std::size_t j = first; j < first + 32; ++j) {
        const double error = std::abs(double{load_as_float(blocks.data(), to, j)} - x[j]);
        const bool last = to == Dtype::q4_0 && std::abs(x[j]) > 7.5 * step;
        const double bound = step * ((last ? 1 : 0.5) + 3 * 128 * 0x1p-24) + of_scale;
        ASSERT_LE(error, bound) << name_of(to) << " element " << j << ": " << x[j];
      }
    }
  }
}

}  // namespace
}  // namespace engines
