// SPDX-License-Identifier: Apache-2.0
// What is kept, released and streamed at which limit.
#include "engines/pipeline/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/tensor/error.h"

namespace engines {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// About Z-Image in bf16, in units of a megabyte.
MemoryNeeds mapped() {
  MemoryNeeds needs;
  needs.process = 100;
  needs.encoder = {7000, 400};
  needs.transformer = {12300, 900};
  needs.vae = {200, 200};
  needs.encode = 10;
  needs.denoise = 700;
  needs.decode = [](std::uint64_t budget) {
    return budget >= 2100 ? std::uint64_t{2100} : std::uint64_t{900};
  };
  return needs;
}

MemoryNeeds quantised() {
  MemoryNeeds needs = mapped();
  needs.encoder = {3800, 3800};
  needs.transformer = {6500, 6500};
  return needs;
}

MemoryPlan plan(const MemoryNeeds& needs, std::uint64_t limit, Residency residency = Residency::automatic) {
  return plan_memory(needs, {limit, residency, VaeTiling::automatic, 2500}, "a picture of 1024x1024");
}

TEST(MemoryPlan, RefusesALimitThatCannotBeMetWithItsFigures) {
  MemoryNeeds needs;
  needs.process = 100'000'000;
  needs.transformer = {5'000'000'000, 5'000'000'000};
  needs.denoise = 700'000'000;
  needs.decode = [](std::uint64_t) { return std::uint64_t{0}; };
  try {
    plan(needs, 3'000'000'000);
    FAIL() << "a limit of 3 GB cannot hold 5.8 GB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_OUT_OF_MEMORY);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("a picture of 1024x1024 needs at least 5.80 GB"),
                                    HasSubstr("denoise 5.80 GB"), HasSubstr("limit is 3.00 GB")));
  }
}

TEST(MemoryPlan, RefusesToKeepAllWhereAllDoesNotFit) {
  EXPECT_THROW(plan(mapped(), 10'000, Residency::all), Error);
}

TEST(MemoryPlan, KeepsMappedWeightsWithoutALimit) {
  const MemoryPlan p = plan(mapped(), 0);
  EXPECT_FALSE(p.staged);
  EXPECT_FALSE(p.release_transformer);
  EXPECT_EQ(p.transformer_window, 12300U);
  EXPECT_EQ(p.held, 100U + 200 + 7000 + 12300);
}

TEST(MemoryPlan, DropsQuantisedWeightsThatHaveDoneTheirWorkUnlessTheyAreWanted) {
  EXPECT_TRUE(plan(quantised(), 0).staged);
  EXPECT_FALSE(plan(quantised(), 0, Residency::all).staged);
  EXPECT_TRUE(plan(mapped(), 0, Residency::staged).staged);
}

TEST(MemoryPlan, GivesUpNoMoreThanTheLimitAsksFor) {
  struct Case {
    std::uint64_t limit;
    bool staged, release_transformer, streamed;
  };
  for (const Case& c : {Case{22'000, false, false, false}, Case{14'000, true, false, false},
                        Case{13'400, true, true, false}, Case{10'000, true, true, true}}) {
    const MemoryPlan p = plan(mapped(), c.limit);
    EXPECT_EQ(p.staged, c.staged) << c.limit;
    EXPECT_EQ(p.release_transformer, c.release_transformer) << c.limit;
    EXPECT_EQ(p.transformer_window < 12300, c.streamed) << c.limit;
    EXPECT_LE(p.peak, c.limit);
  }
}

TEST(MemoryPlan, StreamsNoMoreThanTheLimitAsksFor) {
  const MemoryPlan p = plan(mapped(), 10'000);
  EXPECT_EQ(p.encoder_window, 7000U) << "the encoder fits by itself";
  EXPECT_EQ(p.transformer_window, 10'000U - 300 - 700);
}

TEST(MemoryPlan, GivesTheDecoderWhatTheLimitLeaves) {
  EXPECT_EQ(plan(mapped(), 0).decode_budget, 2500U);
  EXPECT_EQ(plan(mapped(), 30'000).decode_budget, 2500U);
  EXPECT_EQ(plan(mapped(), 2'000).decode_budget, 1'700U) << "300 for the process and the VAE";
  EXPECT_EQ(plan_memory(mapped(), {0, Residency::automatic, VaeTiling::on}, "x").decode_budget, 0U);
  EXPECT_THROW(plan_memory(mapped(), {2'000, Residency::automatic, VaeTiling::off}, "x"), Error);
}

TEST(MemoryPlan, TellsTheFirstPictureFromThoseThatFindMoreResident) {
  const MemoryPlan p = plan(mapped(), 0);
  EXPECT_EQ(p.encode_peak, 100U + 7000 + 10);
  EXPECT_EQ(p.denoise_peak, 100U + 7000 + 12300 + 700);
  EXPECT_EQ(p.decode_peak, 100U + 7000 + 12300 + 200 + 2100);
  EXPECT_EQ(p.peak, p.decode_peak);
}

TEST(MemoryPlan, FitsEveryLimitThatItAccepts) {
  for (const MemoryNeeds& needs : {mapped(), quantised()}) {
    for (std::uint64_t limit = 1000; limit < 25'000; limit += 37) {
      try {
        EXPECT_LE(plan(needs, limit).peak, limit);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), RH_OUT_OF_MEMORY);
      }
    }
  }
}

}  // namespace
}  // namespace engines
