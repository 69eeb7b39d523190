// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/rope.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/rope.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

template <class D, class V>
HWY_INLINE void rotate(D d, V& a, V& b, const float* cos, const float* sin) {
  const auto c = hn::LoadU(d, cos);
  const auto s = hn::LoadU(d, sin);
  const auto old_a = a;
  a = hn::NegMulAdd(b, s, hn::Mul(a, c));
  b = hn::MulAdd(old_a, s, hn::Mul(b, c));
}

void interleaved(float* HWY_RESTRICT x, const float* HWY_RESTRICT cos, const float* HWY_RESTRICT sin,
                 std::int64_t pairs) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> a;
  hn::Vec<decltype(d)> b;
  std::int64_t p = 0;
  for (; p + lanes <= pairs; p += lanes) {
    hn::LoadInterleaved2(d, x + 2 * p, a, b);
    rotate(d, a, b, cos + p, sin + p);
    hn::StoreInterleaved2(a, b, d, x + 2 * p);
  }
  const hn::CappedTag<float, 1> one;
  for (; p < pairs; ++p) {
    auto first = hn::LoadU(one, x + 2 * p);
    auto second = hn::LoadU(one, x + 2 * p + 1);
    rotate(one, first, second, cos + p, sin + p);
    hn::StoreU(first, one, x + 2 * p);
    hn::StoreU(second, one, x + 2 * p + 1);
  }
}

void half(float* HWY_RESTRICT x, const float* HWY_RESTRICT cos, const float* HWY_RESTRICT sin,
          std::int64_t pairs) {
  for_vectors(pairs, [&](auto d, std::int64_t p) HWY_ATTR {
    auto a = hn::LoadU(d, x + p);
    auto b = hn::LoadU(d, x + p + pairs);
    rotate(d, a, b, cos + p, sin + p);
    hn::StoreU(a, d, x + p);
    hn::StoreU(b, d, x + p + pairs);
  });
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(interleaved);
HWY_EXPORT(half);

void rotate_interleaved(float* x, const float* cos, const float* sin, std::int64_t pairs) {
  HWY_DYNAMIC_DISPATCH(interleaved)(x, cos, sin, pairs);
}

void rotate_half(float* x, const float* cos, const float* sin, std::int64_t pairs) {
  HWY_DYNAMIC_DISPATCH(half)(x, cos, sin, pairs);
}
}  // namespace engines::cpu
#endif
