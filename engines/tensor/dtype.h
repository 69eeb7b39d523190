// SPDX-License-Identifier: Apache-2.0
// The types that weights are stored in, and their conversion to float.
//
// The quantised types are ggml's: neighbours of a row make a block, so a quantised row is a multiple of a
// block long. Little-endian, without padding; d, dmin and m are f16, of a block q[j] is the integer of
// element j:
//   q8_0  d, 32 signed bytes q                                                value d * q        34 bytes
//   q4_0  d, 16 bytes, of which j holds q[j] low and q[j + 16] high           value d * (q - 8)  18 bytes
//   q4_1  d, m, 16 bytes as q4_0                                              value d * q + m    20 bytes
//   q5_0  d, 32 bits, of which j is the fifth of q[j], 16 bytes as q4_0       value d * (q - 16) 22 bytes
//   q5_1  d, m, 32 bits and 16 bytes as q5_0                                  value d * q + m    24 bytes
// and with 256 elements, in sub-blocks s of 32 (q6_K: 16) that have integer scales of their own:
//   q4_K  d, dmin, 12 bytes of 6-bit sc[s] and m[s], 128 bytes, of which each 32 hold the sub-blocks 2g low
//         and 2g + 1 high                                      value d * sc[s] * q - dmin * m[s]  144 bytes
//   q5_K  d, dmin, 12 bytes, 32 bytes, of which bit s of l is the fifth of q[32 s + l], 128 bytes as q4_K
//                                                                                            176 bytes
//   q6_K  128 bytes with 4 low bits, 64 bytes with 2 high bits of every q, 16 signed bytes sc, d
//                                                            value d * sc[s] * (q - 32)      210 bytes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engines/tensor/halves.h"

namespace engines {

// Of the quantised types, `quantise` makes the first four.
enum class Dtype { f32, bf16, f16, q8_0, q4_0, q4_K, q6_K, q4_1, q5_0, q5_1, q5_K };
inline constexpr std::size_t kDtypes = 11;

struct DtypeLayout {
  std::string_view name;
  std::int64_t length;  // elements that are stored together and cannot be addressed alone
  std::int64_t bytes;   // what those take
};

inline constexpr std::array<DtypeLayout, kDtypes> kDtypeLayouts{{{"f32", 1, 4},
                                                                 {"bf16", 1, 2},
                                                                 {"f16", 1, 2},
                                                                 {"q8_0", 32, 34},
                                                                 {"q4_0", 32, 18},
                                                                 {"q4_k", 256, 144},
                                                                 {"q6_k", 256, 210},
                                                                 {"q4_1", 32, 20},
                                                                 {"q5_0", 32, 22},
                                                                 {"q5_1", 32, 24},
                                                                 {"q5_k", 256, 176}}};

constexpr const DtypeLayout& layout_of(Dtype dtype) {
  return kDtypeLayouts[static_cast<std::size_t>(dtype)];
}

constexpr std::string_view name_of(Dtype dtype) {
  return layout_of(dtype).name;
}

constexpr std::int64_t block_length(Dtype dtype) {
  return layout_of(dtype).length;
}

constexpr std::int64_t block_bytes(Dtype dtype) {
  return layout_of(dtype).bytes;
}

constexpr bool is_quantised(Dtype dtype) {
  return block_length(dtype) > 1;
}

// What `count` elements take; a multiple of block_length. No overflow where the elements themselves exist.
constexpr std::int64_t bytes_of(Dtype dtype, std::int64_t count) {
  return count / block_length(dtype) * block_bytes(dtype);
}

// The scale and the minimum, 0 to 63, of a sub-block of q4_K or q5_K; `scales` are the block's 12 bytes.
struct SubBlockScale {
  int scale, minimum;
};
constexpr SubBlockScale sub_block_scale(const std::uint8_t* scales, std::size_t sub_block) {
  if (sub_block < 4) return {scales[sub_block] & 63, scales[sub_block + 4] & 63};
  const int low = scales[sub_block + 4];
  return {(low & 15) | (scales[sub_block - 4] >> 6) << 4, low >> 4 | (scales[sub_block] >> 6) << 4};
}

// Element j of a block of a quantised type.
float element_of_block(const std::byte* block, Dtype dtype, std::size_t j);

// Element i of an array of `dtype` that may lie at any address (safetensors promises no alignment).
inline float load_as_float(const std::byte* data, Dtype dtype, std::size_t i) {
  if (dtype == Dtype::f32) {
    float value;
    std::memcpy(&value, data + i * 4, 4);
    return value;
  }
  if (is_quantised(dtype)) {
    const auto length = static_cast<std::size_t>(block_length(dtype));
    return element_of_block(data + i / length * static_cast<std::size_t>(block_bytes(dtype)), dtype,
                            i % length);
  }
  std::uint16_t bits;
  std::memcpy(&bits, data + i * 2, 2);
  return dtype == Dtype::bf16 ? bf16_to_float(bits) : f16_to_float(bits);
}

}  // namespace engines
