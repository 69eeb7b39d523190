// SPDX-License-Identifier: Apache-2.0
// A vector of floats to bf16. Compiled once per processor target.
#if defined(ENGINES_KERNELS_SIMD_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ENGINES_KERNELS_SIMD_BF16_INL_H_
#undef ENGINES_KERNELS_SIMD_BF16_INL_H_
#else
#define ENGINES_KERNELS_SIMD_BF16_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The nearest bf16 of each, ties to even, as floats; a NaN stays one, as long as it is quiet with a bit set
// among its first 7: what arithmetic makes.
template <class D, class V>
HWY_INLINE V nearest_bf16(D d, V x) {
  const hn::RebindToUnsigned<D> d32;
  const auto bits = hn::BitCast(d32, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fff)));
  return hn::BitCast(d, hn::And(rounded, hn::Set(d32, 0xffff0000u)));
}

// The bits of floats that are bf16 numbers.
template <class D, class V>
HWY_INLINE void store_bf16(D, V x, std::uint16_t* out) {
  const hn::RebindToUnsigned<D> d32;
  const hn::Rebind<std::uint16_t, D> d16;
  hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(hn::BitCast(d32, x))), d16, out);
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
