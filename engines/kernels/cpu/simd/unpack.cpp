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

// Numbers whose upper halves are the nearest bf16 of `values`, none of which is a NaN.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::uint32_t, D>> round_numbers(D, hn::Vec<D> values) {
  const hn::Rebind<std::uint32_t, D> d32;
  const auto bits = hn::BitCast(d32, values);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  return hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fffu)));
}

// The same of any values. A NaN keeps its sign and becomes a quiet one.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::uint32_t, D>> round_any(D d, hn::Vec<D> values) {
  const hn::Rebind<std::uint32_t, D> d32;
  const auto quiet = hn::Or(hn::BitCast(d32, values), hn::Set(d32, 0x400000u));
  return hn::IfThenElse(hn::RebindMask(d32, hn::IsNaN(values)), quiet, round_numbers(d, values));
}

template <class D>
HWY_INLINE void put(D d, hn::Vec<D> values, std::uint16_t* out) {
  const hn::Rebind<std::uint16_t, D> d16;
  hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(round_any(d, values))), d16, out);
}

template <Dtype kDtype>
HWY_INLINE void unpack_blocks(float* HWY_RESTRICT out, const std::uint8_t* data, std::int64_t first,
                              std::int64_t count) {
  for_quantised<kDtype>(data, first, count,
                        [&](auto d, auto values, std::int64_t i) HWY_ATTR { put(d, values, out + i); });
}

#if HWY_TARGET == HWY_SCALAR
template <Dtype kDtype>
HWY_INLINE void unpack_blocks(std::uint16_t* HWY_RESTRICT out, const std::uint8_t* data, std::int64_t first,
                              std::int64_t count) {
  for_quantised<kDtype>(data, first, count,
                        [&](auto d, auto values, std::int64_t i) HWY_ATTR { put(d, values, out + i); });
}

template <Dtype kDtype, class T>
HWY_INLINE std::int64_t unpack_pairs(T*, const std::uint8_t*, std::int64_t) {
  return 0;
}
#else
// The upper halves of two vectors.
template <class D32>
HWY_INLINE void put_pair(D32, hn::Vec<D32> low, hn::Vec<D32> high, std::uint16_t* out) {
  const hn::Repartition<std::uint16_t, D32> d16;
  hn::StoreU(hn::ConcatOdd(d16, hn::BitCast(d16, high), hn::BitCast(d16, low)), d16, out);
}

// A whole block whose scales are finite, so that no value is a NaN.
template <Dtype kDtype>
HWY_INLINE void unpack_block(std::uint16_t* HWY_RESTRICT out, const std::uint8_t* block) {
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const BlockScales<kDtype> scales(block);
  const auto rounded = [&](std::int64_t i)
                           HWY_ATTR { return round_numbers(d, block_values<kDtype>(d, scales, block, i)); };
  for (std::int64_t i = 0; i < block_length(kDtype); i += 2 * lanes)
    put_pair(hn::Rebind<std::uint32_t, BlockTag>(), rounded(i), rounded(i + lanes), out + i);
}

template <Dtype kDtype>
HWY_INLINE void unpack_blocks(std::uint16_t* HWY_RESTRICT out, const std::uint8_t* data, std::int64_t first,
                              std::int64_t count) {
  const auto some = [&](std::int64_t from, std::int64_t size) HWY_ATTR {
    for_quantised<kDtype>(data, first + from, size, [&](auto d, auto values, std::int64_t i) HWY_ATTR {
      put(d, values, out + from + i);
    });
  };
  constexpr std::int64_t kLength = block_length(kDtype);
  const std::int64_t head = std::min(count, (kLength - first % kLength) % kLength);
  some(0, head);
  std::int64_t i = head;
  const std::uint8_t* block = data + (first + head) / kLength * block_bytes(kDtype);
  for (; i + kLength <= count; i += kLength, block += block_bytes(kDtype)) {
    if (HWY_LIKELY(BlockScales<kDtype>::are_finite(block)))
      unpack_block<kDtype>(out + i, block);
    else
      some(i, kLength);
  }
  some(i, count - i);
}

template <Dtype kDtype>
HWY_INLINE std::int64_t unpack_pairs(float*, const std::uint8_t*, std::int64_t) {
  return 0;
}

// Whether none of two vectors of f16 is an infinity or a NaN.
template <class D16>
HWY_INLINE bool are_finite(D16 d16, hn::Vec<D16> bits) {
  return hn::AllTrue(d16, hn::Lt(hn::And(bits, hn::Set(d16, 0x7fffu)), hn::Set(d16, 0x7c00u)));
}

// As many elements as fill pairs of vectors; returns how many.
template <Dtype kDtype>
HWY_INLINE std::int64_t unpack_pairs(std::uint16_t* HWY_RESTRICT out, const std::uint8_t* HWY_RESTRICT data,
                                     std::int64_t count) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<std::uint32_t> d32;
  const hn::ScalableTag<std::uint16_t> d16;
  const hn::Rebind<hwy::float16_t, decltype(d)> d_half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const std::uint8_t* const p = data + i * Stored<kDtype>::kBytes;
    const std::uint8_t* const next = p + lanes * Stored<kDtype>::kBytes;
    if constexpr (kDtype == Dtype::f16) {
      const auto rounded = [&](const std::uint8_t* halves) HWY_ATTR {
        const auto bits = load_anywhere(hn::Rebind<std::uint16_t, decltype(d)>(), halves);
        return round_numbers(d, hn::PromoteTo(d, hn::BitCast(d_half, bits)));
      };
      if (HWY_LIKELY(are_finite(d16, load_anywhere(d16, p)))) {
        put_pair(d32, rounded(p), rounded(next), out + i);
        continue;
      }
    }
    put_pair(d32, round_any(d, Stored<kDtype>::load(d, p)), round_any(d, Stored<kDtype>::load(d, next)),
             out + i);
  }
  return i;
}
#endif

template <Dtype kDtype, class T>
HWY_INLINE void unpack_as(T* HWY_RESTRICT out, const std::uint8_t* HWY_RESTRICT data, std::int64_t first,
                          std::int64_t count) {
  if constexpr (is_quantised(kDtype)) {
    unpack_blocks<kDtype>(out, data, first, count);
  } else {
    data += bytes_of(kDtype, first);
    const std::int64_t pairs = unpack_pairs<kDtype>(out, data, count);
    data += bytes_of(kDtype, pairs);
    out += pairs;
    count -= pairs;
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
    case Dtype::q4_K:
      return unpack_as<Dtype::q4_K>(out, data, first, count);
    case Dtype::q6_K:
      return unpack_as<Dtype::q6_K>(out, data, first, count);
    case Dtype::q4_1:
      return unpack_as<Dtype::q4_1>(out, data, first, count);
    case Dtype::q5_0:
      return unpack_as<Dtype::q5_0>(out, data, first, count);
    case Dtype::q5_1:
      return unpack_as<Dtype::q5_1>(out, data, first, count);
    case Dtype::q5_K:
      return unpack_as<Dtype::q5_K>(out, data, first, count);
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
