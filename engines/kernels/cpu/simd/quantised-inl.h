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

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors that divide a block, and for q4_0 half of one.
using BlockTag = hn::CappedTag<float, 16>;

HWY_INLINE float block_scale(const std::uint8_t* block) {
  return hn::GetLane(Stored<Dtype::f16>::load(hn::CappedTag<float, 1>(), block));
}

// Elements first, first + 1, ... of a block without their scale; `first` is a multiple of the lanes.
template <Dtype kDtype, class D>
HWY_INLINE hn::Vec<D> block_integers(D d, const std::uint8_t* block, std::int64_t first) {
  const hn::Rebind<std::int32_t, D> d32;
  if constexpr (kDtype == Dtype::q8_0) {
    return hn::ConvertTo(d,
                         hn::PromoteTo(d32, load_anywhere(hn::Rebind<std::int8_t, D>(), block + 2 + first)));
  } else {
    const auto pairs =
        hn::PromoteTo(d32, load_anywhere(hn::Rebind<std::uint8_t, D>(), block + 2 + first % 16));
    const auto quants = first < 16 ? hn::And(pairs, hn::Set(d32, 15)) : hn::ShiftRight<4>(pairs);
    return hn::ConvertTo(d, hn::Sub(quants, hn::Set(d32, 8)));
  }
}

// The values of `count` elements of a quantised row from `first` on: emit(tag, values, i) for i = 0, ...,
// vectors where whole blocks lie.
template <Dtype kDtype, class Emit>
HWY_INLINE void for_quantised(const std::uint8_t* data, std::int64_t first, std::int64_t count,
                              const Emit& emit) {
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::uint8_t* block = data + first / kQuantisedBlock * block_bytes(kDtype);
  std::int64_t begin = first % kQuantisedBlock;
  for (std::int64_t i = 0; i < count; block += block_bytes(kDtype), begin = 0) {
    const float scale = block_scale(block);
    const std::int64_t end = std::min(kQuantisedBlock, begin + count - i);
    if (begin == 0 && end == kQuantisedBlock) {
      for (std::int64_t j = 0; j < kQuantisedBlock; j += lanes)
        emit(d, hn::Mul(hn::Set(d, scale), block_integers<kDtype>(d, block, j)), i + j);
      i += kQuantisedBlock;
      continue;
    }
    const hn::CappedTag<float, 1> one;
    for (std::int64_t j = begin; j < end; ++j, ++i)
      emit(one, hn::Mul(hn::Set(one, scale), block_integers<kDtype>(one, block, j)), i);
  }
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
