// SPDX-License-Identifier: Apache-2.0
// Blocks made by hand, byte by byte, and what they stand for.
#include <gtest/gtest.h>

#include <vector>

#include "engines/tensor/dtype.h"

namespace engines {
namespace {

// A block of zeros that a test fills in.
class Block {
 public:
  explicit Block(Dtype dtype) : dtype_(dtype), bytes_(static_cast<std::size_t>(block_bytes(dtype))) {}

  Block& half(std::size_t place, std::uint16_t bits) {
    return byte(place, bits & 0xff).byte(place + 1, bits >> 8);
  }
  Block& byte(std::size_t place, int value) {
    bytes_.at(place) = static_cast<std::byte>(value);
    return *this;
  }
  float operator[](std::size_t j) const { return load_as_float(bytes_.data(), dtype_, j); }

 private:
  Dtype dtype_;
  std::vector<std::byte> bytes_;
};

constexpr std::uint16_t kHalf = 0x3800, kOne = 0x3c00, kTwo = 0x4000, kMinusOne = 0xbc00;

TEST(Blocks, of_every_type_have_the_bytes_of_ggml) {
  EXPECT_EQ(bytes_of(Dtype::q4_1, 64), 40);
  EXPECT_EQ(bytes_of(Dtype::q5_0, 64), 44);
  EXPECT_EQ(bytes_of(Dtype::q5_1, 64), 48);
  EXPECT_EQ(bytes_of(Dtype::q4_K, 512), 288);
  EXPECT_EQ(bytes_of(Dtype::q5_K, 512), 352);
  EXPECT_EQ(bytes_of(Dtype::q6_K, 512), 420);
}

TEST(Blocks, of_q4_1_add_their_minimum) {
  Block block(Dtype::q4_1);
  block.half(0, kTwo).half(2, kMinusOne).byte(4, 0xf3).byte(19, 0x5c);
  EXPECT_EQ(block[0], 2 * 3 - 1);
  EXPECT_EQ(block[16], 2 * 15 - 1);
  EXPECT_EQ(block[15], 2 * 12 - 1);
  EXPECT_EQ(block[31], 2 * 5 - 1);
  EXPECT_EQ(block[7], -1);
}

TEST(Blocks, of_q5_0_and_q5_1_have_a_fifth_bit_for_each_element) {
  Block block(Dtype::q5_0);
  block.half(0, kTwo).byte(2, 0x01).byte(5, 0x80).byte(6, 0xf3).byte(21, 0x5c);
  EXPECT_EQ(block[0], 2 * (3 + 16 - 16));
  EXPECT_EQ(block[16], 2 * (15 - 16));
  EXPECT_EQ(block[15], 2 * (12 - 16));
  EXPECT_EQ(block[31], 2 * (5 + 16 - 16));
  Block with_minimum(Dtype::q5_1);
  with_minimum.half(0, kTwo).half(2, kHalf).byte(5, 0x02).byte(9, 0x0a);
  EXPECT_EQ(with_minimum[1], 2 * 10 + 0.5f);
  EXPECT_EQ(with_minimum[9], 2 * 16 + 0.5f);
}

// The 12 bytes of scales: six bits in the first eight, the rest of the last four sub-blocks in pieces.
TEST(Blocks, of_q4_K_unpack_six_bits_of_scale_and_minimum) {
  Block block(Dtype::q4_K);
  block.half(0, kOne).half(2, kTwo);
  block.byte(4, 0xbf);             // scale 0 is 63; bits 10 of scale 4
  block.byte(4 + 4, 0x41);         // minimum 0 is 1; bits 01 of minimum 4
  block.byte(4 + 8, 0x97);         // low bits of sub-block 4: scale 7, minimum 9
  block.byte(4 + 3, 0x05);         // scale 3 is 5
  block.byte(4 + 7, 0xc2);         // minimum 3 is 2; bits 11 of minimum 7
  block.byte(4 + 11, 0x06);        // low bits of sub-block 7: scale 6, minimum 0
  block.byte(16, 0x2a);            // elements 0 and 32
  block.byte(16 + 32 + 31, 0x70);  // elements 95 and 127
  block.byte(16 + 64, 0x0b);       // element 128
  block.byte(16 + 96 + 1, 0xe0);   // elements 193 and 225
  EXPECT_EQ(block[0], 63 * 10 - 2 * 1);
  EXPECT_EQ(block[1], -2);
  EXPECT_EQ(block[32], 0) << "sub-block 1 has neither scale nor minimum";
  EXPECT_EQ(block[127], 5 * 7 - 2 * 2);
  EXPECT_EQ(block[128], (7 + 32) * 11 - 2 * (9 + 16));
  EXPECT_EQ(block[225], 6 * 14 - 2 * 48);
}

TEST(Blocks, of_q5_K_take_the_fifth_bit_from_the_place_of_the_sub_block) {
  Block block(Dtype::q5_K);
  block.half(0, kHalf).half(2, kOne).byte(4, 2).byte(8, 3).byte(4 + 11, 0x14);
  block.byte(16 + 5, 0x81);       // fifth bits of element 5 and of element 229
  block.byte(48 + 5, 0x07);       // element 5
  block.byte(48 + 96 + 5, 0x90);  // elements 197 and 229
  EXPECT_EQ(block[5], 0.5f * 2 * (7 + 16) - 3);
  EXPECT_EQ(block[229], 0.5f * 4 * (9 + 16) - 1);
  EXPECT_EQ(block[228], -1);
}

TEST(Blocks, of_q6_K_are_four_quarters_of_each_half) {
  Block block(Dtype::q6_K);
  block.half(208, kHalf);
  for (std::size_t s = 0; s < 16; ++s)
    block.byte(192 + s, static_cast<int>(s) - 8);
  block.byte(3, 0xa5);             // low bits of elements 3 and 67
  block.byte(32 + 3, 0x1f);        // of 35 and 99
  block.byte(128 + 3, 0xe4);       // high bits 0, 1, 2, 3
  block.byte(64 + 32 + 31, 0xc0);  // element 255
  block.byte(160 + 31, 0x80);
  EXPECT_EQ(block[3], 0.5f * -8 * (5 - 32));
  EXPECT_EQ(block[35], 0.5f * -6 * (15 + 16 - 32));
  EXPECT_EQ(block[67], 0.5f * -4 * (10 + 32 - 32));
  EXPECT_EQ(block[99], 0.5f * -2 * (1 + 48 - 32));
  EXPECT_EQ(block[20], 0.5f * -7 * -32);
  EXPECT_EQ(block[255], 0.5f * 7 * (12 + 32 - 32));
}

}  // namespace
}  // namespace engines
