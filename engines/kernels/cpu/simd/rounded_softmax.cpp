// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/rounded_softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/rounded_softmax.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

template <class D>
inline constexpr bool kFull = std::is_same_v<D, hn::ScalableTag<float>>;

// The greatest of scale * values; scaled first, as the scale may be negative.
HWY_INLINE float greatest_scaled(const float* values, std::int64_t count, float scale) {
  const hn::ScalableTag<float> full;
  float rest = -std::numeric_limits<float>::infinity();
  auto maximum = hn::Set(full, rest);
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto scaled = hn::Mul(hn::LoadU(d, values + i), hn::Set(d, scale));
    if constexpr (kFull<decltype(d)>)
      maximum = hn::Max(maximum, scaled);
    else
      rest = std::max(rest, hn::GetLane(scaled));
  });
  return std::max(rest, hn::GetLane(hn::MaxOfLanes(full, maximum)));
}

// 2^x for x up to about 0: the power of two of the nearest integer times the polynomial of the least relative
// error (2.7e-6) for 2^f over [-1/2, 1/2], found with Remez's algorithm.
template <class D, class V>
HWY_INLINE V power_of_two(D d, V x) {
  const hn::RebindToSigned<D> d32;
  // Adding it leaves the nearest integer plus 127, an exponent's bits, at the end of the sum's mantissa.
  const auto shifter = hn::Set(d, 0x1.8p23f + 127.0f);
  const auto shifted = hn::Add(x, shifter);
  const auto f = hn::Sub(x, hn::Sub(shifted, shifter));
  auto p = hn::MulAdd(hn::Set(d, 9.57010221e-3f), f, hn::Set(d, 5.59178591e-2f));
  p = hn::MulAdd(p, f, hn::Set(d, 2.40247443e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 6.93121791e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 9.99999285e-1f));
  const auto value = hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(d32, shifted))));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -126.0f)), value);
}

// The nearest bf16 of each, as floats; which of two equally near does not matter to a probability. A NaN
// stays one as arithmetic makes it, with its highest bits set.
template <class D, class V>
HWY_INLINE V nearest_bf16(D d, V x) {
  const hn::RebindToUnsigned<D> d32;
  const auto rounded = hn::Add(hn::BitCast(d32, x), hn::Set(d32, 0x8000u));
  return hn::BitCast(d, hn::And(rounded, hn::Set(d32, 0xffff0000u)));
}

// The bits of floats that are bf16 numbers.
template <class D, class V>
HWY_INLINE void store_bf16(D, V x, std::uint16_t* out) {
  const hn::RebindToUnsigned<D> d32;
  const hn::Rebind<std::uint16_t, D> d16;
  hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(hn::BitCast(d32, x))), d16, out);
}

// out <- the bf16 nearest to exp(scale * values - maximum); returns their sum.
HWY_INLINE float rounded_exponentials(std::uint16_t* out, const float* values, std::int64_t count,
                                      float scale, float maximum) {
  constexpr float kLog2E = 1.44269504f;
  const hn::ScalableTag<float> full;
  auto sums = hn::Zero(full);
  float rest = 0;
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto shifted = hn::MulSub(hn::LoadU(d, values + i), hn::Set(d, scale), hn::Set(d, maximum));
    const auto value = nearest_bf16(d, power_of_two(d, hn::Mul(shifted, hn::Set(d, kLog2E))));
    store_bf16(d, value, out + i);
    if constexpr (kFull<decltype(d)>)
      sums = hn::Add(sums, value);
    else
      rest += hn::GetLane(value);
  });
  return hn::GetLane(hn::SumOfLanes(full, sums)) + rest;
}

void rounded_softmax_of_tile(std::uint16_t* probabilities, ConstRows scores, std::int64_t seen,
                             std::int64_t more_per_row, float scale, const SoftmaxState& state) {
  for (std::int64_t i = 0; i < scores.rows; ++i, probabilities += scores.cols) {
    const std::int64_t count = std::clamp<std::int64_t>(seen + i * more_per_row, 0, scores.cols);
    std::fill_n(probabilities + count, scores.cols - count, std::uint16_t{0});
    state.correction[i] = 1;
    if (count == 0) continue;
    const float maximum = std::max(state.maximum[i], greatest_scaled(scores.row(i), count, scale));
    const float sum = rounded_exponentials(probabilities, scores.row(i), count, scale, maximum);
    state.correction[i] = std::exp(state.maximum[i] - maximum);
    state.sum[i] = state.sum[i] * state.correction[i] + sum;
    state.maximum[i] = maximum;
  }
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(rounded_softmax_of_tile);

void rounded_softmax_tile(std::uint16_t* probabilities, ConstRows scores, std::int64_t seen,
                          std::int64_t more_per_row, float scale, const SoftmaxState& state) {
  HWY_DYNAMIC_DISPATCH(rounded_softmax_of_tile)
  (probabilities, scores, seen, more_per_row, scale, state);
}
}  // namespace engines::cpu
#endif
