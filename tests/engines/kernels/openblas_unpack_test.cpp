// SPDX-License-Identifier: Apache-2.0
// Unpacking is exact: every bit of what load_as_float says, whatever is asked for.
#include "engines/kernels/cpu/simd/unpack.h"

#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

constexpr Dtype kAll[] = {Dtype::f32,  Dtype::bf16, Dtype::f16,  Dtype::q8_0, Dtype::q4_0, Dtype::q4_K,
                          Dtype::q6_K, Dtype::q4_1, Dtype::q5_0, Dtype::q5_1, Dtype::q5_K};

// To the nearest bf16 by trying both neighbours, the even one of two equally near.
std::uint16_t nearest_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto below = static_cast<std::uint16_t>(bits >> 16);
  if (std::isnan(value)) return below | 0x40u;
  const auto above = static_cast<std::uint16_t>(below + 1);
  // Infinity stands where the next power of two would be.
  const auto place = [](std::uint16_t half) {
    const double sign = half & 0x8000u ? -1 : 1;
    return (half & 0x7fffu) == 0x7f80u ? sign * 0x1p128 : double{bf16_to_float(half)};
  };
  const double down = std::abs(double{value} - place(below));
  const double up = std::abs(double{value} - place(above));
  if (std::isinf(value) || down < up) return below;
  if (up < down) return above;
  return below % 2 == 0 ? below : above;
}

// Both forms of elements first .. first + count - 1, and that nothing is written beside them.
void check_unpacked(const WeightView& w, std::int64_t first, std::int64_t count, const std::string& what) {
  constexpr std::uint32_t kGuard = 0x7fc12345;
  const auto size = static_cast<std::size_t>(count);
  std::vector<float> floats(size + 1, std::bit_cast<float>(kGuard));
  std::vector<std::uint16_t> halves(size + 1, 0x1234);
  cpu::unpack(floats.data(), w, first, count);
  cpu::unpack_bf16(halves.data(), w, first, count);
  for (std::size_t i = 0; i < size; ++i) {
    const float expected = load_as_float(w.data, w.dtype, static_cast<std::size_t>(first) + i);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(floats[i])) << what << ", element " << i;
    else
      ASSERT_EQ(std::bit_cast<std::uint32_t>(floats[i]), std::bit_cast<std::uint32_t>(expected))
          << what << ", element " << i << ": " << floats[i] << ", expected " << expected;
    if (is_quantised(w.dtype) &&
        std::isnan(expected))  // made by arithmetic: sign and bits are the processor's
      ASSERT_TRUE(std::isnan(bf16_to_float(halves[i]))) << what << ", element " << i;
    else if (w.dtype == Dtype::bf16)
      ASSERT_EQ(bf16_to_float(halves[i]) == expected || std::isnan(expected), true)
          << what << ", element " << i;
    else
      ASSERT_EQ(halves[i], nearest_bf16(expected)) << what << ", element " << i << ": " << expected;
  }
  EXPECT_EQ(std::bit_cast<std::uint32_t>(floats[size]), kGuard) << what;
  EXPECT_EQ(halves[size], 0x1234) << what;
}

TEST(CpuUnpack, converts_every_16_bit_pattern_exactly) {
  std::vector<std::uint16_t> patterns(65536 + 5);
  for (std::size_t i = 0; i < patterns.size(); ++i)
    patterns[i] = static_cast<std::uint16_t>(i);
  const auto count = static_cast<std::int64_t>(patterns.size());
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16})
    check_unpacked({reinterpret_cast<const std::byte*>(patterns.data()), dtype, {count}}, 0, count,
                   std::string(name_of(dtype)));
}

TEST(CpuUnpack, rounds_every_kind_of_float_to_the_nearest_bf16) {
  std::vector<float> values;
  for (std::uint32_t high = 0; high < 0x10000; high += 61)
    for (const std::uint32_t low : {0x0u, 0x1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      for (const std::uint32_t next : {0u, 1u})
        values.push_back(std::bit_cast<float>(((high + next) << 16) | low));
  for (const std::uint32_t bits : {0x7f7fffffu, 0x7f800000u, 0x7f800001u, 0xff800000u, 0xffffffffu, 1u})
    values.push_back(std::bit_cast<float>(bits));
  const auto count = static_cast<std::int64_t>(values.size());
  check_unpacked({reinterpret_cast<const std::byte*>(values.data()), Dtype::f32, {count}}, 0, count, "f32");
}

TEST(CpuUnpack, takes_any_part_of_a_row_at_any_address) {
  Random random(7);
  for (const Dtype dtype : kAll)
    for (const std::size_t offset : {0, 1, 2, 3}) {
      const std::int64_t row = std::max<std::int64_t>(96, block_length(dtype));
      const OwnedWeight w(dtype, {3, row}, offset, random);
      for (const std::int64_t first : {0, 1, 15, 16, 31, 32, 33, 63, 64, 100, 200})
        for (const std::int64_t count : {0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 88, 255, 256, 257, 560})
          if (first + count <= 3 * row)
            check_unpacked(w.view, first, count,
                           std::string(name_of(dtype)) + " offset " + std::to_string(offset) + " from " +
                               std::to_string(first) + " on " + std::to_string(count));
    }
}

// What no quantiser writes but a file may hold: all quants with scales of either sign, subnormal, zero,
// large, infinite, no number, in every place that a half may have in a block.
TEST(CpuUnpack, takes_blocks_of_any_bits) {
  const std::uint16_t scales[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c01, 0xbfff,
                                  0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7c01, 0xfe01};
  for (const Dtype dtype : kAll) {
    if (!is_quantised(dtype)) continue;
    const auto size = static_cast<std::size_t>(block_bytes(dtype));
    std::vector<std::byte> bytes;
    unsigned next = 0;
    for (int repeat = 0; repeat < 16; ++repeat)
      for (const std::uint16_t scale : scales)
        for (const std::size_t place : {std::size_t{0}, std::size_t{2}, size - 2}) {
          const std::size_t begin = bytes.size();
          for (std::size_t j = 0; j < size; ++j)
            bytes.push_back(static_cast<std::byte>(next++ * 37 >> 2));
          std::memcpy(bytes.data() + begin + place, &scale, sizeof scale);
        }
    const auto count = static_cast<std::int64_t>(bytes.size() / size) * block_length(dtype);
    check_unpacked({bytes.data(), dtype, {1, count}}, 0, count, std::string(name_of(dtype)));
  }
}

}  // namespace
}  // namespace engines
