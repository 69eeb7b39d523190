// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/round.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/round.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include "engines/kernels/cpu/simd/bf16-inl.h"
#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

void round_floats(std::uint16_t* HWY_RESTRICT out, const float* HWY_RESTRICT x, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const hn::RebindToUnsigned<decltype(d)> d32;
    const auto value = hn::LoadU(d, x + i);
    // A NaN may have its bits below those that are kept.
    const auto quiet = hn::BitCast(d, hn::Set(d32, 0x7fc00000u));
    store_bf16(d, hn::IfThenElse(hn::IsNaN(value), quiet, nearest_bf16(d, value)), out + i);
  });
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(round_floats);

void round_to_bf16(std::uint16_t* out, const float* x, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(round_floats)(out, x, count);
}
}  // namespace engines::cpu
#endif
