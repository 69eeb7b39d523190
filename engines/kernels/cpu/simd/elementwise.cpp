// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/elementwise.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include "engines/kernels/cpu/simd/silu-inl.h"
#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

void silu_times(float* y, const float* a, const float* b, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(silu(d, hn::LoadU(d, a + i)), hn::LoadU(d, b + i)), d, y + i);
  });
}

// x / 2 * (1 + tanh(z)) = x / (1 + exp(-2 z)); the exponential of a float ends at 88.
void gelu_tanh_times(float* y, const float* a, const float* b, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto x = hn::LoadU(d, a + i);
    const auto cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), hn::Set(d, 0.044715f)), x, x);
    const auto exponent = hn::Mul(cubic, hn::Set(d, -1.5957691216057308f));  // -2 sqrt(2 / pi)
    const auto exponential = hn::Exp(d, hn::Min(exponent, hn::Set(d, 88.0f)));
    const auto value = hn::Div(x, hn::Add(hn::Set(d, 1.0f), exponential));
    hn::StoreU(hn::Mul(value, hn::LoadU(d, b + i)), d, y + i);
  });
}

void add_to(float* y, const float* x, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, y + i), hn::LoadU(d, x + i)), d, y + i);
  });
}

void twice(float* y, const float* x, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto values = hn::LoadU(d, x + i);
    hn::StoreInterleaved2(values, values, d, y + 2 * i);
  }
  for (; i < count; ++i)
    y[2 * i] = y[2 * i + 1] = x[i];
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(silu_times);
HWY_EXPORT(gelu_tanh_times);
HWY_EXPORT(add_to);
HWY_EXPORT(twice);

void silu_mul_row(float* y, const float* a, const float* b, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(silu_times)(y, a, b, count);
}

void gelu_tanh_mul_row(float* y, const float* a, const float* b, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(gelu_tanh_times)(y, a, b, count);
}

void add_row(float* y, const float* x, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(add_to)(y, x, count);
}

void double_row(float* y, const float* x, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(twice)(y, x, count);
}
}  // namespace engines::cpu
#endif
