// SPDX-License-Identifier: Apache-2.0
// Runs the tests of this program on the processor target that ROUNDHOUSE_TEST_SIMD names, instead of the best
// one.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdlib>
#include <string>

#include "engines/kernels/cpu/simd/target.h"

namespace engines {
namespace {

class ChosenTarget : public testing::Environment {
 public:
  void SetUp() override {
    const char* name = std::getenv("ROUNDHOUSE_TEST_SIMD");
    if (!name) return;
    // Targets are bits, the better the lower.
    for (std::int64_t bit = 0; bit < 63; ++bit) {
      const std::int64_t target = std::int64_t{1} << bit;
      if (hwy::TargetName(target) == std::string(name)) hwy::SetSupportedTargetsForTest(target);
    }
    if (cpu::simd_target_name() != name)
      GTEST_SKIP() << "this processor has no " << name << ", " << cpu::simd_target_name() << " would run";
  }
};

const testing::Environment* const kChosenTarget = testing::AddGlobalTestEnvironment(new ChosenTarget);

}  // namespace
}  // namespace engines
