// SPDX-License-Identifier: Apache-2.0
// The sigmoid linear unit of a vector. Compiled once per processor target.
#if defined(ENGINES_KERNELS_SIMD_SILU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ENGINES_KERNELS_SIMD_SILU_INL_H_
#undef ENGINES_KERNELS_SIMD_SILU_INL_H_
#else
#define ENGINES_KERNELS_SIMD_SILU_INL_H_
#endif

#include <hwy/highway.h>

// Highway's mathematics sets itself up per target after highway.h.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// x / (1 + exp(-x)). Beyond 88 the exponential of a float ends; there x / (1 + exp(88)) is below 1e-34 |x|,
// as good as the 0 that it should be.
template <class D, class V>
HWY_INLINE V silu(D d, V x) {
  const auto exponential = hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 88.0f)));
  return hn::Div(x, hn::Add(hn::Set(d, 1.0f), exponential));
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
