// SPDX-License-Identifier: Apache-2.0
// Vectors of elements out of quantised blocks (engines/tensor/dtype.h has their layout). Compiled once per
// processor target: include it after hwy/foreach_target.h, outside of any namespace.
#if defined(ENGINES_KERNELS_SIMD_QUANTISED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ENGINES_KERNELS_SIMD_QUANTISED_INL_H_
#undef ENGINES_KERNELS_SIMD_QUANTISED_INL_H_
#else
#define ENGINES_KERNELS_SIMD_QUANTISED_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors that divide what has one scale: 16 elements of q6_K, and half a block of most others.
using BlockTag = hn::CappedTag<float, 16>;

HWY_INLINE float half_at(const std::uint8_t* place) {
  return hn::GetLane(Stored<Dtype::f16>::load(hn::CappedTag<float, 1>(), place));
}

// The scales of a block: element j is scale[j / kGroup] * q[j] - offset[j / kGroup], all but the subtraction
// exact. kOffsets tells whether there are offsets.
template <Dtype kDtype>
struct BlockScales {
  static constexpr std::int64_t kLength = block_length(kDtype);
  static constexpr std::int64_t kGroup = kDtype == Dtype::q6_K ? 16 : 32;
  static constexpr bool kMinimums = kDtype == Dtype::q4_K || kDtype == Dtype::q5_K;
  static constexpr bool kOffsets = kMinimums || kDtype == Dtype::q4_1 || kDtype == Dtype::q5_1;

  float scale[kLength / kGroup];
  float offset[kOffsets ? kLength / kGroup : 1];

  explicit HWY_INLINE BlockScales(const std::uint8_t* block) {
    const float d = half_at(block + (kDtype == Dtype::q6_K ? 208 : 0));
    if constexpr (kMinimums) {
      const float dmin = half_at(block + 2);
      for (std::size_t s = 0; s < kLength / kGroup; ++s) {
        const SubBlockScale sub = sub_block_scale(block + 4, s);
        scale[s] = d * static_cast<float>(sub.scale);
        offset[s] = dmin * static_cast<float>(sub.minimum);
      }
    } else if constexpr (kDtype == Dtype::q6_K) {
      for (std::int64_t s = 0; s < kLength / kGroup; ++s)
        scale[s] = d * static_cast<float>(static_cast<std::int8_t>(block[192 + s]));
    } else {
      scale[0] = d;
      if constexpr (kOffsets) offset[0] = -half_at(block + 2);
    }
  }

  // Whether no element can be a NaN or an infinity.
  static HWY_INLINE bool are_finite(const std::uint8_t* block) {
    const auto finite = [&](std::int64_t place) { return (block[place + 1] & 0x7c) != 0x7c; };
    return finite(kDtype == Dtype::q6_K ? 208 : 0) && (!kOffsets || finite(2));
  }
};

// Bytes at any address as integers.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::int32_t, D>> load_bytes(D, const std::uint8_t* p) {
  return hn::PromoteTo(hn::Rebind<std::int32_t, D>(), load_anywhere(hn::Rebind<std::uint8_t, D>(), p));
}

template <class V>
HWY_INLINE V nibbles(V pairs, bool high) {
  return high ? hn::ShiftRight<4>(pairs) : hn::And(pairs, hn::Set(hn::DFromV<V>(), 15));
}

// Bit `first` + lane of the four bytes at `bits`, as 16.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::int32_t, D>> fifth_bits(D, const std::uint8_t* bits, std::int64_t first) {
  const hn::Rebind<std::uint32_t, D> d32;
  std::uint32_t all;
  std::memcpy(&all, bits, sizeof(all));
  const auto shifted = hn::Shr(hn::Set(d32, all >> first), hn::Iota(d32, 0));
  return hn::BitCast(hn::Rebind<std::int32_t, D>(), hn::ShiftLeft<4>(hn::And(shifted, hn::Set(d32, 1))));
}

// The integers of the types with 256 elements.
template <Dtype kDtype, class D>
HWY_INLINE hn::Vec<hn::Rebind<std::int32_t, D>> super_integers(D d, const std::uint8_t* block,
                                                               std::int64_t first) {
  const hn::Rebind<std::int32_t, D> d32;
  const std::int64_t l = first % 32;
  const int sub = static_cast<int>(first / 32);
  if constexpr (kDtype == Dtype::q6_K) {
    const int half = sub / 4;
    const int quarter = sub % 4;
    const auto low = nibbles(load_bytes(d, block + 64 * half + 32 * (quarter % 2) + l), quarter >= 2);
    const auto high =
        hn::And(hn::ShiftRightSame(load_bytes(d, block + 128 + 32 * half + l), 2 * quarter), hn::Set(d32, 3));
    return hn::Sub(hn::Or(low, hn::ShiftLeft<4>(high)), hn::Set(d32, 32));
  } else {
    const std::uint8_t* const pairs = block + (kDtype == Dtype::q4_K ? 16 : 48);
    const auto low = nibbles(load_bytes(d, pairs + sub / 2 * 32 + l), sub % 2 != 0);
    if constexpr (kDtype == Dtype::q4_K) return low;
    const auto fifth = hn::And(hn::ShiftRightSame(load_bytes(d, block + 16 + l), sub), hn::Set(d32, 1));
    return hn::Or(low, hn::ShiftLeft<4>(fifth));
  }
}

// The integers of elements first, first + 1, ... of a block; `first` is a multiple of the lanes.
template <Dtype kDtype, class D>
HWY_INLINE hn::Vec<D> block_integers(D d, const std::uint8_t* block, std::int64_t first) {
  const hn::Rebind<std::int32_t, D> d32;
  if constexpr (block_length(kDtype) > 32) {
    return hn::ConvertTo(d, super_integers<kDtype>(d, block, first));
  } else if constexpr (kDtype == Dtype::q8_0) {
    return hn::ConvertTo(d,
                         hn::PromoteTo(d32, load_anywhere(hn::Rebind<std::int8_t, D>(), block + 2 + first)));
  } else {
    constexpr bool kFives = kDtype == Dtype::q5_0 || kDtype == Dtype::q5_1;
    constexpr std::int64_t kBits = BlockScales<kDtype>::kOffsets ? 4 : 2;
    const auto low = nibbles(load_bytes(d, block + kBits + (kFives ? 4 : 0) + first % 16), first >= 16);
    if constexpr (kDtype == Dtype::q4_1) return hn::ConvertTo(d, low);
    if constexpr (kDtype == Dtype::q4_0) return hn::ConvertTo(d, hn::Sub(low, hn::Set(d32, 8)));
    if constexpr (kFives) {
      const auto quants = hn::Or(low, fifth_bits(d, block + kBits, first));
      if constexpr (kDtype == Dtype::q5_1) return hn::ConvertTo(d, quants);
      return hn::ConvertTo(d, hn::Sub(quants, hn::Set(d32, 16)));
    }
  }
}

// The values of those elements.
template <Dtype kDtype, class D>
HWY_INLINE hn::Vec<D> block_values(D d, const BlockScales<kDtype>& scales, const std::uint8_t* block,
                                   std::int64_t first) {
  const std::int64_t group = first / BlockScales<kDtype>::kGroup;
  const auto scaled = hn::Mul(hn::Set(d, scales.scale[group]), block_integers<kDtype>(d, block, first));
  if constexpr (BlockScales<kDtype>::kOffsets)
    return hn::Sub(scaled, hn::Set(d, scales.offset[group]));
  else
    return scaled;
}

// The values of `count` elements of a quantised row from `first` on: emit(tag, values, i) for i = 0, ...,
// vectors where whole blocks lie.
template <Dtype kDtype, class Emit>
HWY_INLINE void for_quantised(const std::uint8_t* data, std::int64_t first, std::int64_t count,
                              const Emit& emit) {
  constexpr std::int64_t kLength = block_length(kDtype);
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::uint8_t* block = data + first / kLength * block_bytes(kDtype);
  std::int64_t begin = first % kLength;
  for (std::int64_t i = 0; i < count; block += block_bytes(kDtype), begin = 0) {
    const BlockScales<kDtype> scales(block);
    const std::int64_t end = std::min(kLength, begin + count - i);
    if (begin == 0 && end == kLength) {
      for (std::int64_t j = 0; j < kLength; j += lanes)
        emit(d, block_values<kDtype>(d, scales, block, j), i + j);
      i += kLength;
      continue;
    }
    const hn::CappedTag<float, 1> one;
    for (std::int64_t j = begin; j < end;) {
      // Vectors in between where they lie as they do in a whole block.
      if (j % lanes == 0 && j + lanes <= end) {
        emit(d, block_values<kDtype>(d, scales, block, j), i);
        j += lanes;
        i += lanes;
      } else {
        emit(one, block_values<kDtype>(one, scales, block, j), i);
        ++j;
        ++i;
      }
    }
  }
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
