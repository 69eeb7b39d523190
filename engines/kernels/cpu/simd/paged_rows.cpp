// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/paged_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/paged_rows.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

// Lanes of element `at` of a row of the type; f16 by the processor's own conversion.
template <Dtype kDtype, class D>
HWY_INLINE hn::Vec<D> load_held(D d, const std::byte* row, std::int64_t at) {
  if constexpr (kDtype == Dtype::f32) {
    return hn::LoadU(d, reinterpret_cast<const float*>(row) + at);
  } else {
    const hn::Rebind<hwy::float16_t, D> half;
    return hn::PromoteTo(d, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(row) + at));
  }
}

template <Dtype kDtype>
HWY_INLINE const std::byte* held_row(const HeldRows& rows, std::int64_t t) {
  return rows.data + t * rows.stride * (kDtype == Dtype::f32 ? 4 : 2);
}

// kHeads heads with every row; how a head's products are added up does not depend on the heads beside it.
template <Dtype kDtype, int kHeads>
HWY_INLINE void score_heads(Rows scores, ConstRows q, const HeldRows& keys, std::int64_t head) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t t = 0; t < scores.cols; ++t) {
    const std::byte* const key = held_row<kDtype>(keys, t);
    hn::Vec<decltype(d)> sums[kHeads];
    for (auto& sum : sums)
      sum = hn::Zero(d);
    std::int64_t i = 0;
    for (; i + lanes <= q.cols; i += lanes) {
      const auto values = load_held<kDtype>(d, key, i);
      for (int h = 0; h < kHeads; ++h)
        sums[h] = hn::MulAdd(hn::LoadU(d, q.row(head + h) + i), values, sums[h]);
    }
    for (int h = 0; h < kHeads; ++h) {
      auto sum = hn::Set(one, hn::GetLane(hn::SumOfLanes(d, sums[h])));
      for (std::int64_t rest = i; rest < q.cols; ++rest)
        sum = hn::MulAdd(hn::LoadU(one, q.row(head + h) + rest), load_held<kDtype>(one, key, rest), sum);
      scores.row(head + h)[t] = hn::GetLane(sum);
    }
  }
}

template <Dtype kDtype, int kHeads, class D>
HWY_INLINE void add_column(D d, Rows out, ConstRows factors, const HeldRows& values, std::int64_t head,
                           std::int64_t column) {
  hn::Vec<D> sums[kHeads];
  for (int h = 0; h < kHeads; ++h)
    sums[h] = hn::LoadU(d, out.row(head + h) + column);
  for (std::int64_t t = 0; t < factors.cols; ++t) {
    const auto value = load_held<kDtype>(d, held_row<kDtype>(values, t), column);
    for (int h = 0; h < kHeads; ++h)
      sums[h] = hn::MulAdd(hn::Set(d, factors.row(head + h)[t]), value, sums[h]);
  }
  for (int h = 0; h < kHeads; ++h)
    hn::StoreU(sums[h], d, out.row(head + h) + column);
}

template <Dtype kDtype, int kHeads>
HWY_INLINE void add_heads(Rows out, ConstRows factors, const HeldRows& values, std::int64_t head) {
  for_vectors(out.cols, [&](auto d, std::int64_t i)
                            HWY_ATTR { add_column<kDtype, kHeads>(d, out, factors, values, head, i); });
}

template <Dtype kDtype>
HWY_INLINE void score_all(Rows scores, ConstRows q, const HeldRows& keys) {
  std::int64_t head = 0;
  for (; head + 4 <= q.rows; head += 4)
    score_heads<kDtype, 4>(scores, q, keys, head);
  for (; head < q.rows; ++head)
    score_heads<kDtype, 1>(scores, q, keys, head);
}

template <Dtype kDtype>
HWY_INLINE void add_all(Rows out, ConstRows factors, const HeldRows& values) {
  std::int64_t head = 0;
  for (; head + 4 <= out.rows; head += 4)
    add_heads<kDtype, 4>(out, factors, values, head);
  for (; head < out.rows; ++head)
    add_heads<kDtype, 1>(out, factors, values, head);
}

void scores_of(Rows scores, ConstRows q, const HeldRows& keys) {
  if (keys.dtype == Dtype::f16)
    score_all<Dtype::f16>(scores, q, keys);
  else
    score_all<Dtype::f32>(scores, q, keys);
}

void add_products(Rows out, ConstRows factors, const HeldRows& values) {
  if (values.dtype == Dtype::f16)
    add_all<Dtype::f16>(out, factors, values);
  else
    add_all<Dtype::f32>(out, factors, values);
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(scores_of);
HWY_EXPORT(add_products);

void score_rows(Rows scores, ConstRows q, const HeldRows& keys) {
  HWY_DYNAMIC_DISPATCH(scores_of)(scores, q, keys);
}

void add_rows(Rows out, ConstRows factors, const HeldRows& values) {
  HWY_DYNAMIC_DISPATCH(add_products)(out, factors, values);
}
}  // namespace engines::cpu
#endif
