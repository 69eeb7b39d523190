// SPDX-License-Identifier: Apache-2.0
// One block at a time, in loops of 32 that the compiler turns into vectors; compiled twice, since the
// processor of the least common denominator has no conversions worth the name.
#include "engines/tensor/quantise.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engines/tensor/quantise_k.h"

namespace engines {
namespace {

constexpr std::int64_t kBlock = 32;
constexpr std::uint32_t kInfinity = 0x7f800000u;
constexpr std::uint16_t kLargestF16Bits = 0x7bffu;

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
      const std::uint32_t special = magnitude > kLargestF16Bits ? kInfinity : 0;
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

ENGINES_INLINE void round_q8_0(std::byte* out, const std::uint32_t* bits, float by) {
  std::int8_t quants[kBlock];
  for (std::int64_t j = 0; j < kBlock; ++j) {
    // The float before 0.5, cut off after it was added, is roundf for all numbers up to 127.
    const float almost_half = std::bit_cast<float>((bits[j] & 0x80000000u) | 0x3effffffu);
    quants[j] =
        static_cast<std::int8_t>(static_cast<std::int32_t>(std::bit_cast<float>(bits[j]) * by + almost_half));
  }
  std::memcpy(out, quants, sizeof quants);
}

ENGINES_INLINE void round_q4_0(std::byte* out, const std::uint32_t* bits, float by) {
  std::int32_t quants[kBlock];
  for (std::int64_t j = 0; j < kBlock; ++j)
    quants[j] = std::min(15, static_cast<std::int32_t>(std::bit_cast<float>(bits[j]) * by + 8.5f));
  std::uint8_t pairs[kBlock / 2];
  for (std::int64_t j = 0; j < kBlock / 2; ++j)
    pairs[j] = static_cast<std::uint8_t>(quants[j] | quants[j + kBlock / 2] << 4);
  std::memcpy(out, pairs, sizeof pairs);
}

// The scales of several blocks are found before any of them is rounded: a block waits for its scale as long
// as all other work on it takes.
constexpr std::int64_t kBatch = 16;

struct Batch {
  alignas(64) std::uint32_t bits[kBatch][kBlock];
  std::uint32_t largest[kBatch];
  float d[kBatch];
  float by[kBatch];  // 1 / d, and 0 where that is nothing to multiply with: d is then nothing as f16
};

template <Dtype kTo, Dtype kFrom>
ENGINES_INLINE void load_batch(Batch& batch, const std::byte* data, std::int64_t blocks) {
  for (std::int64_t b = 0; b < blocks; ++b) {
    load_block<kFrom>(batch.bits[b], data + b * kBlock * block_bytes(kFrom));
    batch.largest[b] = largest_magnitude(batch.bits[b]);
    batch.d[b] = kTo == Dtype::q8_0 ? std::bit_cast<float>(batch.largest[b]) / 127
                                    : first_of(batch.bits[b], batch.largest[b]) / -8;
  }
  for (std::int64_t b = 0; b < blocks; ++b) {
    const float inverted = 1 / batch.d[b];
    batch.by[b] = std::isfinite(inverted) ? inverted : 0;
  }
}

template <Dtype kTo, Dtype kFrom>
ENGINES_INLINE std::int64_t quantise_as(std::byte* out, const std::byte* data, std::int64_t count) {
  std::int64_t unfit = count;
  Batch batch;
  for (std::int64_t i = 0; i < count; i += kBatch * kBlock) {
    const std::int64_t blocks = std::min(kBatch, (count - i) / kBlock);
    load_batch<kTo, kFrom>(batch, data + i * block_bytes(kFrom), blocks);
    for (std::int64_t b = 0; b < blocks; ++b, out += block_bytes(kTo)) {
      const std::uint32_t* const bits = batch.bits[b];
      const std::uint16_t scale = float_to_f16(batch.d[b]);
      std::memcpy(out, &scale, 2);
      if ((scale & 0x7fffu) <= kLargestF16Bits) {
        kTo == Dtype::q8_0 ? round_q8_0(out + 2, bits, batch.by[b]) : round_q4_0(out + 2, bits, batch.by[b]);
      } else if (unfit == count) {
        const auto is_largest = [&](auto x) { return (x & 0x7fffffffu) == batch.largest[b]; };
        unfit = i + b * kBlock + (std::find_if(bits, bits + kBlock, is_largest) - bits);
      }
    }
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
  assert(can_be_made(to) && is_quantised(to) && !is_quantised(from) && count % block_length(to) == 0);
  if (to == Dtype::q4_K || to == Dtype::q6_K) return quantise_super_blocks(out, to, data, from, count);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return quantise_avx2(out, to, data, from, count);
#endif
  return quantise_any(out, to, data, from, count);
}

}  // namespace engines
