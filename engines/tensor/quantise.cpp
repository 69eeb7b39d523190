// SPDX-License-Identifier: Apache-2.0
// One block at a time, in loops of 32 that the compiler turns into vectors; compiled twice, since the
// processor of the least common denominator has no conversions worth the name.
#include "engines/tensor/quantise.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace engines {
namespace {

constexpr std::int64_t kBlock = kQuantisedBlock;
constexpr std::uint32_t kInfinity = 0x7f800000u;
constexpr std::uint16_t kLargestF16 = 0x7bffu;

#define ENGINES_INLINE [[gnu::always_inline]] inline

template <Dtype kFrom>
ENGINES_INLINE void load_block(std::uint32_t* bits, const std::byte* data) {
  if constexpr (kFrom == Dtype::f32) {
    std::memcpy(bits, data, kBlock * 4);
    return;
  }
  std::uint16_t halves[kBlock];
  std::memcpy(halves, data, sizeof halves);
  for (std::int64_t j = 0; j < kBlock; ++j) {
    const std::uint32_t half = halves[j];
    if constexpr (kFrom == Dtype::bf16) {
      bits[j] = half << 16;
    } else {
      // f16_to_float without branches: exponent and mantissa moved into place are the value times 2^-112.
      const std::uint32_t magnitude = half & 0x7fffu;
      const float finite = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
      const std::uint32_t special = magnitude > kLargestF16 ? kInfinity : 0;
      bits[j] = std::bit_cast<std::uint32_t>(finite) | special | (half & 0x8000u) << 16;
    }
  }
}

ENGINES_INLINE std::uint32_t largest_magnitude(const std::uint32_t* bits) {
  std::int32_t largest = 0;
  for (std::int64_t j = 0; j < kBlock; ++j)
    largest = std::max(largest, static_cast<std::int32_t>(bits[j] & 0x7fffffffu));
  return static_cast<std::uint32_t>(largest);
}

// 1 / d, and 0 where that is nothing to multiply with: d is then nothing as f16, and the block zeros.
ENGINES_INLINE float inverse(float d) {
  const float inverted = 1 / d;
  return std::isfinite(inverted) ? inverted : 0;
}

ENGINES_INLINE std::uint16_t round_q8_0(std::byte* out, const std::uint32_t* bits, std::uint32_t largest) {
  const float d = std::bit_cast<float>(largest) / 127;
  const float by = inverse(d);
  std::int8_t quants[kBlock];
  for (std::int64_t j = 0; j < kBlock; ++j) {
    const float x = std::bit_cast<float>(bits[j]) * by;
    const auto whole = static_cast<std::int32_t>(x);
    const float rest = x - static_cast<float>(whole);  // exact
    quants[j] = static_cast<std::int8_t>(whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0));
  }
  std::memcpy(out + 2, quants, sizeof quants);
  return float_to_f16(d);
}

// The first element of that magnitude, with its sign.
ENGINES_INLINE float first_of(const std::uint32_t* bits, std::uint32_t magnitude) {
  if (magnitude == 0) return 0;
  std::uint32_t positive = 0;
  std::uint32_t negative = 0;
  for (std::int64_t j = 0; j < kBlock; ++j) {
    positive |= bits[j] == magnitude ? 1u : 0u;
    negative |= bits[j] == (magnitude | 0x80000000u) ? 1u : 0u;
  }
  if (positive && negative)
    positive =
        *std::find_if(bits, bits + kBlock, [&](auto b) { return (b & 0x7fffffffu) == magnitude; }) >> 31 ^ 1;
  return std::bit_cast<float>(positive ? magnitude : magnitude | 0x80000000u);
}

ENGINES_INLINE std::uint16_t round_q4_0(std::byte* out, const std::uint32_t* bits, std::uint32_t largest) {
  const float d = first_of(bits, largest) / -8;
  const float by = inverse(d);
  std::int32_t quants[kBlock];
  for (std::int64_t j = 0; j < kBlock; ++j)
    quants[j] = std::min(15, static_cast<std::int32_t>(std::bit_cast<float>(bits[j]) * by + 8.5f));
  std::uint8_t pairs[kBlock / 2];
  for (std::int64_t j = 0; j < kBlock / 2; ++j)
    pairs[j] = static_cast<std::uint8_t>(quants[j] | quants[j + kBlock / 2] << 4);
  std::memcpy(out + 2, pairs, sizeof pairs);
  return float_to_f16(d);
}

template <Dtype kTo, Dtype kFrom>
ENGINES_INLINE std::int64_t quantise_as(std::byte* out, const std::byte* data, std::int64_t count) {
  std::int64_t unfit = count;
  for (std::int64_t i = 0; i < count; i += kBlock) {
    alignas(64) std::uint32_t bits[kBlock];
    load_block<kFrom>(bits, data + i * block_bytes(kFrom));
    const std::uint32_t largest = largest_magnitude(bits);
    std::uint16_t scale = kLargestF16 + 1;
    if (largest < kInfinity)
      scale = kTo == Dtype::q8_0 ? round_q8_0(out, bits, largest) : round_q4_0(out, bits, largest);
    if ((scale & 0x7fffu) > kLargestF16 && unfit == count)
      unfit = i + (std::find_if(bits, bits + kBlock, [&](auto b) { return (b & 0x7fffffffu) == largest; }) -
                   bits);
    std::memcpy(out, &scale, 2);
    out += block_bytes(kTo);
  }
  return unfit;
}

template <Dtype kTo>
ENGINES_INLINE std::int64_t quantise_from(std::byte* out, const std::byte* data, Dtype from,
                                          std::int64_t count) {
  if (from == Dtype::f32) return quantise_as<kTo, Dtype::f32>(out, data, count);
  if (from == Dtype::bf16) return quantise_as<kTo, Dtype::bf16>(out, data, count);
  return quantise_as<kTo, Dtype::f16>(out, data, count);
}

ENGINES_INLINE std::int64_t quantise_any(std::byte* out, Dtype to, const std::byte* data, Dtype from,
                                         std::int64_t count) {
  return to == Dtype::q8_0 ? quantise_from<Dtype::q8_0>(out, data, from, count)
                           : quantise_from<Dtype::q4_0>(out, data, from, count);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::int64_t quantise_avx2(std::byte* out, Dtype to, const std::byte* data,
                                                   Dtype from, std::int64_t count) {
  return quantise_any(out, to, data, from, count);
}
#endif

#undef ENGINES_INLINE

}  // namespace

std::int64_t quantise(std::byte* out, Dtype to, const std::byte* data, Dtype from, std::int64_t count) {
  assert(is_quantised(to) && !is_quantised(from) && count % kBlock == 0);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return quantise_avx2(out, to, data, from, count);
#endif
  return quantise_any(out, to, data, from, count);
}

}  // namespace engines
