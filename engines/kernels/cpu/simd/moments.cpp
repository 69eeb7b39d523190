// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/moments.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/moments.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include <algorithm>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

// sum of (x - centre)^power for power 1 or 2, over the values of one chunk.
template <int kPower>
HWY_INLINE float sum_of_powers(const float* HWY_RESTRICT values, std::int64_t count, float centre) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  constexpr int kSums = 4;
  hn::Vec<decltype(d)> sums[kSums] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  const auto add = [&](auto& sum, std::int64_t i) HWY_ATTR {
    const auto value = hn::Sub(hn::LoadU(d, values + i), hn::Set(d, centre));
    sum = kPower == 1 ? hn::Add(sum, value) : hn::MulAdd(value, value, sum);
  };
  std::int64_t i = 0;
  for (; i + kSums * lanes <= count; i += kSums * lanes)
    for (int s = 0; s < kSums; ++s)
      add(sums[s], i + s * lanes);
  for (; i + lanes <= count; i += lanes)
    add(sums[0], i);
  float rest = 0;
  for (; i < count; ++i) {
    const float value = values[i] - centre;
    rest += kPower == 1 ? value : value * value;
  }
  const auto total = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
  return hn::GetLane(hn::SumOfLanes(d, total)) + rest;
}

// The second pass is about the rounded mean, which the last line corrects.
Moments moments_of_chunk(const float* values, std::int64_t count) {
  const auto n = static_cast<double>(count);
  const auto centre = static_cast<float>(sum_of_powers<1>(values, count, 0) / n);
  const double offset = sum_of_powers<1>(values, count, centre) / n;
  const double squares = sum_of_powers<2>(values, count, centre);
  return {n, centre + offset, std::max(0.0, squares - n * offset * offset)};
}

float squares_of_chunk(const float* values, std::int64_t count) {
  return sum_of_powers<2>(values, count, 0);
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(moments_of_chunk);
HWY_EXPORT(squares_of_chunk);

namespace {
// As many values as are summed in float: with 4 x 4 lanes or more no partial sum has over 128 terms.
constexpr std::int64_t kChunk = 2048;
}  // namespace

Moments moments_of(const float* values, std::int64_t count) {
  Moments all;
  for (std::int64_t i = 0; i < count; i += kChunk)
    all.merge(HWY_DYNAMIC_DISPATCH(moments_of_chunk)(values + i, std::min(kChunk, count - i)));
  return all;
}

double sum_of_squares(const float* values, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; i += kChunk)
    sum += HWY_DYNAMIC_DISPATCH(squares_of_chunk)(values + i, std::min(kChunk, count - i));
  return sum;
}
}  // namespace engines::cpu
#endif
