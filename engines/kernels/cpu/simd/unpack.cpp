// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/unpack.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/unpack.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include <algorithm>

#include "engines/kernels/cpu/simd/quantised-inl.h"
#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

template <class D>
HWY_INLINE void put(D d, hn::Vec<D> values, float* out) {
  hn::StoreU(values, d, out);
}

template <class D>
HWY_INLINE void put(D, hn::Vec<D> values, std::uint16_t* out) {
  const hn::Rebind<std::uint32_t, D> d32;
  const hn::Rebind<std::uint16_t, D> d16;
  const auto bits = hn::BitCast(d32, values);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fffu)));
  // A NaN keeps its sign and becomes a quiet one.
  const auto quiet = hn::Or(bits, hn::Set(d32, 0x400000u));
  const auto nan = hn::Gt(hn::And(bits, hn::Set(d32, 0x7fffffffu)), hn::Set(d32, 0x7f800000u));
  hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(hn::IfThenElse(nan, quiet, rounded))), d16, out);
}

template <Dtype kDtype, class T>
HWY_INLINE void unpack_as(T* HWY_RESTRICT out, const std::uint8_t* HWY_RESTRICT data, std::int64_t first,
                          std::int64_t count) {
  if constexpr (is_quantised(kDtype)) {
    for_quantised<kDtype>(data, first, count,
                          [&](auto d, auto values, std::int64_t i) HWY_ATTR { put(d, values, out + i); });
  } else {
    data += bytes_of(kDtype, first);
    for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
      put(d, Stored<kDtype>::load(d, data + i * Stored<kDtype>::kBytes), out + i);
    });
  }
}

template <class T>
HWY_INLINE void unpack_any(T* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(w.data);
  switch (w.dtype) {
    case Dtype::f32:
      return unpack_as<Dtype::f32>(out, data, first, count);
    case Dtype::bf16:
      return unpack_as<Dtype::bf16>(out, data, first, count);
    case Dtype::f16:
      return unpack_as<Dtype::f16>(out, data, first, count);
    case Dtype::q8_0:
      return unpack_as<Dtype::q8_0>(out, data, first, count);
    case Dtype::q4_0:
      return unpack_as<Dtype::q4_0>(out, data, first, count);
  }
}

void unpack_floats(float* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  unpack_any(out, w, first, count);
}

void unpack_halves(std::uint16_t* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  unpack_any(out, w, first, count);
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(unpack_floats);
HWY_EXPORT(unpack_halves);

void unpack(float* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(unpack_floats)(out, w, first, count);
}

void unpack_bf16(std::uint16_t* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  if (w.dtype == Dtype::bf16) {
    std::memcpy(out, w.data + bytes_of(w.dtype, first), static_cast<std::size_t>(bytes_of(w.dtype, count)));
    return;
  }
  HWY_DYNAMIC_DISPATCH(unpack_halves)(out, w, first, count);
}
}  // namespace engines::cpu
#endif
