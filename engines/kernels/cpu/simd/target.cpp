// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/target.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {
std::int64_t target() {
  return HWY_TARGET;
}
}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(target);

std::string simd_target_name() {
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(target)());
}

std::string simd_name(const std::string& target) {
  if (target == "SCALAR" || target == "EMU128") return "none";
  if (target == "AVX3_ZEN4") return "AVX-512 (Zen 4)";
  if (target == "AVX3_SPR") return "AVX-512 (Sapphire Rapids)";
  if (target == "AVX3_DL") return "AVX-512 (VNNI)";
  if (target == "AVX3") return "AVX-512";
  return target;
}
}  // namespace engines::cpu
#endif
