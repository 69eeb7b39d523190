// SPDX-License-Identifier: Apache-2.0
// Elements of quantised blocks, one at a time: the specification of every faster way to read them.
#include "engines/tensor/dtype.h"

namespace engines {
namespace {

const std::uint8_t* bytes_at(const std::byte* block, std::size_t place) {
  return reinterpret_cast<const std::uint8_t*>(block) + place;
}

float half_at(const std::byte* block, std::size_t place) {
  std::uint16_t bits;
  std::memcpy(&bits, block + place, 2);
  return f16_to_float(bits);
}

// Elements j of 32 whose four low bits lie in 16 bytes.
int nibble(const std::uint8_t* pairs, std::size_t j) {
  return j < 16 ? pairs[j] & 15 : pairs[j - 16] >> 4;
}

int fifth_bit(const std::uint8_t* bits, std::size_t j) {
  return (bits[j / 8] >> (j % 8) & 1) << 4;
}

// d * scale * q - dmin * minimum, of a block whose integers are known.
float with_minimum(const std::byte* block, std::size_t sub_block, int quant) {
  const auto [scale, minimum] = sub_block_scale(bytes_at(block, 4), sub_block);
  return half_at(block, 0) * static_cast<float>(scale) * static_cast<float>(quant) -
         half_at(block, 2) * static_cast<float>(minimum);
}

// Elements of q4_K and q5_K: 32 bytes hold the low bits of two neighbouring sub-blocks.
int nibble_of_pair(const std::uint8_t* pairs, std::size_t j) {
  const int pair = pairs[j / 64 * 32 + j % 32];
  return j % 64 < 32 ? pair & 15 : pair >> 4;
}

float element_of_q6_K(const std::byte* block, std::size_t j) {
  const std::size_t half = j / 128;
  const std::size_t quarter = j % 128 / 32;
  const std::size_t l = j % 32;
  const int pair = bytes_at(block, 64 * half + quarter % 2 * 32)[l];
  const int low = quarter < 2 ? pair & 15 : pair >> 4;
  const int high = bytes_at(block, 128 + 32 * half)[l] >> (2 * quarter) & 3;
  const auto scale = static_cast<std::int8_t>(*bytes_at(block, 192 + j / 16));
  return half_at(block, 208) * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
}

}  // namespace

float element_of_block(const std::byte* block, Dtype dtype, std::size_t j) {
  const auto value = [&](int quant) { return half_at(block, 0) * static_cast<float>(quant); };
  switch (dtype) {
    case Dtype::q8_0:
      return value(static_cast<std::int8_t>(*bytes_at(block, 2 + j)));
    case Dtype::q4_0:
      return value(nibble(bytes_at(block, 2), j) - 8);
    case Dtype::q4_1:
      return value(nibble(bytes_at(block, 4), j)) + half_at(block, 2);
    case Dtype::q5_0:
      return value((nibble(bytes_at(block, 6), j) | fifth_bit(bytes_at(block, 2), j)) - 16);
    case Dtype::q5_1:
      return value(nibble(bytes_at(block, 8), j) | fifth_bit(bytes_at(block, 4), j)) + half_at(block, 2);
    case Dtype::q4_K:
      return with_minimum(block, j / 32, nibble_of_pair(bytes_at(block, 16), j));
    case Dtype::q5_K: {
      const int fifth = *bytes_at(block, 16 + j % 32) >> (j / 32) & 1;
      return with_minimum(block, j / 32, nibble_of_pair(bytes_at(block, 48), j) | fifth << 4);
    }
    case Dtype::q6_K:
      return element_of_q6_K(block, j);
    case Dtype::f32:
    case Dtype::bf16:
    case Dtype::f16:
      break;
  }
  return load_as_float(block, dtype, j);
}

}  // namespace engines
