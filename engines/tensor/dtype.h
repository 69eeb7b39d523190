// SPDX-License-Identifier: Apache-2.0
// The types that weights are stored in, and their conversion to float.
//
// The quantised types are ggml's: 32 neighbours of a row make a block with a scale d of their own, so a
// quantised row is a multiple of 32 long. Little-endian, without padding:
//   q8_0  d as f16, 32 signed bytes q:                                        value d * q        34 bytes
//   q4_0  d as f16, 16 bytes, of which j holds q[j] low and q[j + 16] high:   value d * (q - 8)  18 bytes
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace engines {

enum class Dtype { f32, bf16, f16, q8_0, q4_0 };
inline constexpr std::size_t kDtypes = 5;

constexpr std::string_view name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "f32";
    case Dtype::bf16:
      return "bf16";
    case Dtype::f16:
      return "f16";
    case Dtype::q8_0:
      return "q8_0";
    case Dtype::q4_0:
      return "q4_0";
  }
  return "?";
}

constexpr bool is_quantised(Dtype dtype) {
  return dtype == Dtype::q8_0 || dtype == Dtype::q4_0;
}

inline constexpr std::int64_t kQuantisedBlock = 32;  // elements

// Elements that are stored together and cannot be addressed alone.
constexpr std::int64_t block_length(Dtype dtype) {
  return is_quantised(dtype) ? kQuantisedBlock : 1;
}

constexpr std::int64_t block_bytes(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return 4;
    case Dtype::bf16:
    case Dtype::f16:
      return 2;
    case Dtype::q8_0:
      return 2 + kQuantisedBlock;
    case Dtype::q4_0:
      return 2 + kQuantisedBlock / 2;
  }
  return 0;
}

// What `count` elements take; a multiple of block_length. No overflow where the elements themselves exist.
constexpr std::int64_t bytes_of(Dtype dtype, std::int64_t count) {
  return count / block_length(dtype) * block_bytes(dtype);
}

constexpr float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

// IEEE 754 binary16, subnormals and infinities included.
constexpr float f16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  const std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

// To the nearest f16, to the even one of two equally near; beyond 65504 that may be infinity. NaNs stay NaNs.
constexpr std::uint16_t float_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;
  if (magnitude >= 0x47800000u) return sign | 0x7c00u;
  if (magnitude < 0x38800000u) {
    // Beside 0.5 floats are 2^-24 apart, as f16's subnormals are: the addition rounds.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

// Element i of an array of `dtype` that may lie at any address (safetensors promises no alignment).
inline float load_as_float(const std::byte* data, Dtype dtype, std::size_t i) {
  if (dtype == Dtype::f32) {
    float value;
    std::memcpy(&value, data + i * 4, 4);
    return value;
  }
  if (is_quantised(dtype)) data += i / kQuantisedBlock * static_cast<std::size_t>(block_bytes(dtype));
  const auto half = [&](std::size_t place) {
    std::uint16_t bits;
    std::memcpy(&bits, data + place * 2, 2);
    return bits;
  };
  if (dtype == Dtype::bf16) return bf16_to_float(half(i));
  if (dtype == Dtype::f16) return f16_to_float(half(i));
  const float scale = f16_to_float(half(0));
  const std::size_t j = i % kQuantisedBlock;
  if (dtype == Dtype::q8_0) return scale * static_cast<float>(static_cast<std::int8_t>(data[2 + j]));
  const auto pair = std::to_integer<int>(data[2 + j % 16]);
  return scale * static_cast<float>((j < 16 ? pair & 15 : pair >> 4) - 8);
}

}  // namespace engines
