// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/unpack.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/unpack.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

template <Dtype kDtype>
HWY_INLINE void unpack_as(float* HWY_RESTRICT out, const std::uint8_t* HWY_RESTRICT data,
                          std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(Stored<kDtype>::load(d, data + i * Stored<kDtype>::kBytes), d, out + i);
  });
}

void unpack_bytes(float* out, const std::uint8_t* data, Dtype dtype, std::int64_t count) {
  switch (dtype) {
    case Dtype::f32:
      return unpack_as<Dtype::f32>(out, data, count);
    case Dtype::bf16:
      return unpack_as<Dtype::bf16>(out, data, count);
    case Dtype::f16:
      return unpack_as<Dtype::f16>(out, data, count);
  }
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(unpack_bytes);

void unpack(float* out, const WeightView& w, std::int64_t first, std::int64_t count) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(w.data);
  HWY_DYNAMIC_DISPATCH(unpack_bytes)
  (out, data + first * static_cast<std::int64_t>(size_of(w.dtype)), w.dtype, count);
}
}  // namespace engines::cpu
#endif
