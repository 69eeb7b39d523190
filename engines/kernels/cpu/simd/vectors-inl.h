// SPDX-License-Identifier: Apache-2.0
// Loops over vectors, and loads from the stored types. Compiled once per processor target: include it after
// hwy/foreach_target.h, outside of any namespace.
#if defined(ENGINES_KERNELS_SIMD_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ENGINES_KERNELS_SIMD_VECTORS_INL_H_
#undef ENGINES_KERNELS_SIMD_VECTORS_INL_H_
#else
#define ENGINES_KERNELS_SIMD_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

#include "engines/tensor/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Calls op(tag, i) for i = 0, lanes, 2 * lanes, ... and, for what remains, with a tag of one lane.
template <class Op>
HWY_INLINE void for_vectors(std::int64_t count, const Op& op) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    op(d, i);
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i)
    op(one, i);
}

// A vector of elements that may lie at any address.
template <class D>
HWY_INLINE hn::Vec<D> load_anywhere(D d, const std::uint8_t* p) {
#if HWY_TARGET == HWY_SCALAR
  hn::TFromD<D> value;
  std::memcpy(&value, p, sizeof(value));
  return hn::Set(d, value);
#else
  return hn::BitCast(d, hn::LoadU(hn::Repartition<std::uint8_t, D>(), p));
#endif
}

template <Dtype kDtype>
struct Stored;

template <>
struct Stored<Dtype::f32> {
  static constexpr std::int64_t kBytes = 4;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const std::uint8_t* p) {
    return load_anywhere(d, p);
  }
};

// The bits of 16-bit elements at any address, widened to 32 bits.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::uint32_t, D>> load_16_bits(D, const std::uint8_t* p) {
  return hn::PromoteTo(hn::Rebind<std::uint32_t, D>(), load_anywhere(hn::Rebind<std::uint16_t, D>(), p));
}

template <>
struct Stored<Dtype::bf16> {
  static constexpr std::int64_t kBytes = 2;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const std::uint8_t* p) {
    return hn::BitCast(d, hn::ShiftLeft<16>(load_16_bits(d, p)));
  }
};

template <>
struct Stored<Dtype::f16> {
  static constexpr std::int64_t kBytes = 2;
  // Exponent and mantissa moved into place are the value times 2^-112, subnormals included; only infinities
  // and NaNs need their exponent set. The same bits on every target.
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const std::uint8_t* p) {
    const hn::Rebind<std::uint32_t, D> d32;
    const auto bits = load_16_bits(d, p);
    const auto magnitude = hn::And(bits, hn::Set(d32, 0x7fffu));
    const auto sign = hn::ShiftLeft<16>(hn::Sub(bits, magnitude));
    const auto finite = hn::Mul(hn::BitCast(d, hn::ShiftLeft<13>(magnitude)), hn::Set(d, 0x1p112f));
    const auto special = hn::Gt(magnitude, hn::Set(d32, 0x7bffu));
    const auto exponent = hn::IfThenElseZero(special, hn::Set(d32, 0x7f800000u));
    return hn::BitCast(d, hn::Or(hn::Or(hn::BitCast(d32, finite), exponent), sign));
  }
};

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
