// SPDX-License-Identifier: Apache-2.0
// Tests of what an engine's environment becomes on a given processor.
#include <gmock/gmock.h>

#include <gtest/gtest.h>
#include <vector>

#include <cstdlib>

#include "host/manifest/cpu_features.h"
#include "host/worker/engine_client.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

CpuFeatures cpu(bool amd, bool avx2_fma, bool avx512) {
  CpuFeatures features;
  features.x86 = true;
  features.amd = amd;
  features.avx2_fma = avx2_fma;
  features.avx512 = avx512;
  return features;
}

TEST(OpenblasCoretype, FollowsTheFeaturesOfTheProcessor) {
  EXPECT_EQ(openblas_coretype(cpu(true, true, true)), "SkylakeX");
  EXPECT_EQ(openblas_coretype(cpu(false, true, true)), "SkylakeX");
  EXPECT_EQ(openblas_coretype(cpu(true, true, false)), "Zen");
  EXPECT_EQ(openblas_coretype(cpu(false, true, false)), "Haswell");
}

TEST(OpenblasCoretype, LeavesOldAndOtherProcessorsToOpenblas) {
  EXPECT_EQ(openblas_coretype(cpu(false, false, false)), "");
  EXPECT_EQ(openblas_coretype(CpuFeatures()), "");
}

TEST(EngineEnvironment, TakesFixedAndComputedValues) {
  EngineManifest manifest;
  manifest.environment = {{"RH_TEST_FIXED", "1", ""}, {"RH_TEST_COMPUTED", "", "openblas-coretype"}};
  const std::string core = openblas_coretype(cpu_features());
  if (core.empty()) {
    EXPECT_THAT(engine_environment(manifest), ElementsAre(Pair("RH_TEST_FIXED", "1")));
  } else {
    EXPECT_THAT(engine_environment(manifest),
                ElementsAre(Pair("RH_TEST_FIXED", "1"), Pair("RH_TEST_COMPUTED", core)));
  }
}

TEST(EngineEnvironment, LeavesAloneWhatTheUserHasSet) {
  setenv("RH_TEST_SET", "", 1);
  EngineManifest manifest;
  manifest.environment = {{"RH_TEST_SET", "1", ""}};
  EXPECT_THAT(engine_environment(manifest), IsEmpty());
  unsetenv("RH_TEST_SET");
}

TEST(ThreadBudget, IsWhatWasAskedForOrAtLeastOne) {
  EXPECT_EQ(thread_budget(7), 7U);
  EXPECT_GE(thread_budget(0), 1U);
}

TEST(SystemState, KnowsThePeakOfThisProcess) {
  EXPECT_GT(peak_memory_bytes(), std::uint64_t{1} << 20);
}

TEST(SystemState, TellsThePeakOfOneStretchFromThatOfTheNext) {
  if (ROUNDHOUSE_SANITIZED) GTEST_SKIP() << "sanitizers keep what was freed";
  constexpr std::size_t kBlock = std::size_t{64} << 20;
  StretchPeak peak;
  {
    // Written through a volatile pointer, so that the pages exist.
    std::vector<char> block(kBlock);
    volatile char* bytes = block.data();
    for (std::size_t i = 0; i < kBlock; i += 4096)
      bytes[i] = 1;
  }
  const std::uint64_t first = peak.take();
  EXPECT_GE(first, kBlock);
  EXPECT_LT(peak.take(), first) << "the block is gone";
}

}  // namespace
}  // namespace roundhouse::host
