// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/normalise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/normalise.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include "engines/kernels/cpu/simd/silu-inl.h"
#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

template <class D>
HWY_INLINE hn::Vec<D> weights_or_one(D d, const float* weight, std::int64_t i) {
  return weight ? hn::LoadU(d, weight + i) : hn::Set(d, 1.0f);
}

void scale(float* y, const float* x, float factor, const float* weight, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto scaled = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor));
    hn::StoreU(hn::Mul(scaled, weights_or_one(d, weight, i)), d, y + i);
  });
}

void add_scaled(float* y, const float* x, float factor, const float* weight, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto scaled = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor));
    hn::StoreU(hn::MulAdd(scaled, weights_or_one(d, weight, i), hn::LoadU(d, y + i)), d, y + i);
  });
}

void centre(float* y, const float* x, float mean, float factor, const float* weight, const float* shift,
            std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
    const auto scaled = hn::Mul(centred, hn::Set(d, factor));
    const auto weights = weights_or_one(d, weight, i);
    const auto value =
        shift ? hn::MulAdd(scaled, weights, hn::LoadU(d, shift + i)) : hn::Mul(scaled, weights);
    hn::StoreU(value, d, y + i);
  });
}

template <bool kSilu>
HWY_INLINE void plane(float* y, const float* x, float mean, float factor, float bias, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
    const auto value = hn::MulAdd(centred, hn::Set(d, factor), hn::Set(d, bias));
    if constexpr (kSilu)
      hn::StoreU(silu(d, value), d, y + i);
    else
      hn::StoreU(value, d, y + i);
  });
}

void centre_part(float* y, const float* x, float mean, float factor, float bias, bool with_silu,
                 std::int64_t count) {
  if (with_silu)
    plane<true>(y, x, mean, factor, bias, count);
  else
    plane<false>(y, x, mean, factor, bias, count);
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(scale);
HWY_EXPORT(add_scaled);
HWY_EXPORT(centre);
HWY_EXPORT(centre_part);

void scale_row(float* y, const float* x, float factor, const float* weight, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(scale)(y, x, factor, weight, count);
}

void add_scaled_row(float* y, const float* x, float factor, const float* weight, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(add_scaled)(y, x, factor, weight, count);
}

void centre_row(float* y, const float* x, float mean, float factor, const float* weight, const float* shift,
                std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(centre)(y, x, mean, factor, weight, shift, count);
}

void centre_plane(float* y, const float* x, float mean, float factor, float bias, bool silu,
                  std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(centre_part)(y, x, mean, factor, bias, silu, count);
}
}  // namespace engines::cpu
#endif
