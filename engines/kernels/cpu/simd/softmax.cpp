// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/softmax.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "engines/kernels/cpu/simd/vectors-inl.h"
// Highway's mathematics comes after the vectors, which set up this target.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

// The greatest of scale * values; scaled first, as the scale may be negative.
HWY_INLINE float greatest(const float* values, std::int64_t count, float scale) {
  const hn::ScalableTag<float> full;
  const auto lowest = -std::numeric_limits<float>::infinity();
  auto maximum = hn::Set(full, lowest);
  float rest = lowest;
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto scaled = hn::Mul(hn::LoadU(d, values + i), hn::Set(d, scale));
    if constexpr (std::is_same_v<decltype(d), hn::ScalableTag<float>>)
      maximum = hn::Max(maximum, scaled);
    else
      rest = std::max(rest, hn::GetLane(scaled));
  });
  return std::max(rest, hn::GetLane(hn::MaxOfLanes(full, maximum)));
}

// values <- exp(scale * values - maximum); returns their sum.
HWY_INLINE float exponentials(float* values, std::int64_t count, float scale, float maximum) {
  const hn::ScalableTag<float> full;
  auto sums = hn::Zero(full);
  float rest = 0;
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto shifted = hn::MulSub(hn::LoadU(d, values + i), hn::Set(d, scale), hn::Set(d, maximum));
    // Highway's exponential of a NaN is 0.
    const auto value = hn::IfThenElse(hn::IsNaN(shifted), shifted, hn::Exp(d, shifted));
    hn::StoreU(value, d, values + i);
    if constexpr (std::is_same_v<decltype(d), hn::ScalableTag<float>>)
      sums = hn::Add(sums, value);
    else
      rest += hn::GetLane(value);
  });
  return hn::GetLane(hn::SumOfLanes(full, sums)) + rest;
}

HWY_INLINE float exponential(float x) {
  const hn::CappedTag<float, 1> one;
  return hn::GetLane(hn::Exp(one, hn::Set(one, x)));
}

void softmax_of_tile(Rows scores, std::int64_t seen, std::int64_t more_per_row, float scale,
                     const SoftmaxState& state) {
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    float* row = scores.row(i);
    const std::int64_t count = std::clamp<std::int64_t>(seen + i * more_per_row, 0, scores.cols);
    std::fill_n(row + count, scores.cols - count, 0.0f);
    state.correction[i] = 1;
    if (count == 0) continue;
    const float maximum = std::max(state.maximum[i], greatest(row, count, scale));
    const float sum = exponentials(row, count, scale, maximum);
    state.correction[i] = exponential(state.maximum[i] - maximum);
    state.sum[i] = state.sum[i] * state.correction[i] + sum;
    state.maximum[i] = maximum;
  }
}

void cap_all(Rows scores, float scale, float cap) {
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    float* row = scores.row(i);
    for_vectors(scores.cols, [&](auto d, std::int64_t j) HWY_ATTR {
      const auto value = hn::Mul(hn::LoadU(d, row + j), hn::Set(d, scale / cap));
      hn::StoreU(hn::Mul(hn::Tanh(d, value), hn::Set(d, cap)), d, row + j);
    });
  }
}

void multiply_rows(Rows y, const float* factors) {
  for (std::int64_t r = 0; r < y.rows; ++r) {
    float* row = y.row(r);
    for_vectors(y.cols, [&](auto d, std::int64_t i) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::LoadU(d, row + i), hn::Set(d, factors[r])), d, row + i);
    });
  }
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(softmax_of_tile);
HWY_EXPORT(cap_all);
HWY_EXPORT(multiply_rows);

void softmax_tile(Rows scores, std::int64_t seen, std::int64_t more_per_row, float scale,
                  const SoftmaxState& state) {
  HWY_DYNAMIC_DISPATCH(softmax_of_tile)(scores, seen, more_per_row, scale, state);
}

void cap_scores(Rows scores, float scale, float cap) {
  HWY_DYNAMIC_DISPATCH(cap_all)(scores, scale, cap);
}

void scale_rows(Rows y, const float* factors) {
  HWY_DYNAMIC_DISPATCH(multiply_rows)(y, factors);
}
}  // namespace engines::cpu
#endif
