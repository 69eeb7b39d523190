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

enum : std::size_t { kEncode, kDenoise, kDecode };
enum : std::size_t { kEncoder, kTransformer, kVae };

std::function<std::uint64_t(std::uint64_t)> always(std::uint64_t bytes) {
  return [bytes](std::uint64_t) { return bytes; };
}

// About Z-Image in bf16, in units of a megabyte.
MemoryNeeds mapped() {
  MemoryNeeds needs;
  needs.process = 100;
  needs.stages = {{"encode", always(10)}, {"denoise", always(700)}, {"decode", [](std::uint64_t budget) {
                                                                       return budget >= 2100
                                                                                  ? std::uint64_t{2100}
                                                                                  : std::uint64_t{900};
                                                                     }}};
  needs.components = {{"text_encoder", {7000, 400}, kEncode},
                      {"transformer", {12300, 900}, kDenoise},
                      {"vae", {200, 200}, kDecode, true}};
  return needs;
}

MemoryNeeds quantised() {
  MemoryNeeds needs = mapped();
  needs.components[kEncoder].weights = {3800, 3800};
  needs.components[kTransformer].weights = {6500, 6500};
  return needs;
}

// Two encoders that are needed at once, as some architectures have.
MemoryNeeds two_encoders() {
  MemoryNeeds needs = mapped();
  needs.components.push_back({"text_encoder_2", {5000, 300}, kEncode});
  return needs;
}

// A language model: one component, one stage.
MemoryNeeds language_model() {
  MemoryNeeds needs;
  needs.process = 100;
  needs.stages = {{"generate", always(500)}};
  needs.components = {{"model", {3400, 700}, 0}};
  return needs;
}

std::uint64_t sum(const std::vector<MemoryPart>& parts) {
  std::uint64_t bytes = 0;
  for (const MemoryPart& part : parts)
    bytes += part.bytes;
  return bytes;
}

MemoryPlan plan(const MemoryNeeds& needs, std::uint64_t limit, Residency residency = Residency::automatic) {
  return plan_memory(needs, {limit, residency, VaeTiling::automatic, 2500}, "an image of 1024x1024");
}

TEST(MemoryPlan, RefusesALimitThatCannotBeMetWithItsFigures) {
  MemoryNeeds needs;
  needs.process = 100'000'000;
  needs.stages = {{"denoise", always(700'000'000)}};
  needs.components = {{"transformer", {5'000'000'000, 5'000'000'000}, 0}};
  try {
    plan(needs, 3'000'000'000);
    FAIL() << "a limit of 3 GB cannot hold 5.8 GB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_OUT_OF_MEMORY);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("an image of 1024x1024 needs at least 5532 MiB"),
                                    HasSubstr("denoise 5532 MiB; denoise is the transformer's 4769 MiB, the "
                                              "activations' 668 MiB, the process' 95.4 MiB"),
                                    HasSubstr("limit is 2861 MiB")));
  }
}

TEST(MemoryPlan, RefusalsTellFiguresThatDiffer) {
  MemoryNeeds needs;
  needs.stages = {{"denoise", always(300 << 20)}};
  for (const std::uint64_t limit : {std::uint64_t{10}, std::uint64_t{(300 << 20) - 1}}) {
    try {
      plan(needs, limit);
      FAIL() << limit;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("at least 300 MiB"));
      EXPECT_THAT(error.what(), HasSubstr(limit == 10 ? "limit is 10 bytes" : "limit is 299 MiB"));
    }
  }
}

TEST(MemoryPlan, TheLeastIsOneNumberWhateverTheLimitAndIsEnough) {
  constexpr std::uint64_t kUnit = 1 << 20;
  MemoryNeeds needs;
  needs.process = 20 * kUnit;
  needs.stages = {{"denoise", always(5 * kUnit)},
                  {"decode", [](std::uint64_t budget) { return std::max(budget, 18 * kUnit); }, 2 * kUnit}};
  needs.components = {{"transformer", {23 * kUnit, 6 * kUnit}, 0}, {"vae", {3 * kUnit, 3 * kUnit}, 1, true}};
  for (std::uint64_t limit = kUnit; limit < 43 * kUnit; limit += kUnit / 2) {
    try {
      plan(needs, limit);
      FAIL() << limit;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("needs at least 43.0 MiB")) << limit;
    }
  }
  for (std::uint64_t limit = 43 * kUnit; limit < 80 * kUnit; limit += kUnit / 2)
    EXPECT_LE(plan_memory(needs, {limit, Residency::automatic, VaeTiling::automatic, UINT64_MAX}, "x").peak,
              limit);
}

TEST(MemoryPlan, GivesUpSmallComponentsBeforeItRefuses) {
  // The transformer's least and its activations with the process, and not the VAE of the task before.
  const MemoryPlan p = plan(mapped(), 1'700);
  EXPECT_LE(p.peak, 1'700U);
  EXPECT_FALSE(p.keeps(kVae, kEncode));
  EXPECT_FALSE(p.keeps(kVae, kDenoise));
  EXPECT_TRUE(p.keeps(kVae, kDecode));
  EXPECT_TRUE(plan(mapped(), 1'900).keeps(kVae, kDenoise));
  EXPECT_THROW(plan(mapped(), 1'699), Error);
}

TEST(MemoryPlan, RefusesToKeepAllWhereAllDoesNotFit) {
  EXPECT_THROW(plan(mapped(), 10'000, Residency::all), Error);
}

TEST(MemoryPlan, KeepsMappedWeightsWithoutALimit) {
  const MemoryPlan p = plan(mapped(), 0);
  for (const std::size_t stage : {kEncode, kDenoise, kDecode}) {
    EXPECT_TRUE(p.keeps(kEncoder, stage));
    EXPECT_TRUE(p.keeps(kTransformer, stage));
  }
  EXPECT_EQ(p.components[kTransformer].window, 12300U);
  EXPECT_EQ(p.held, 100U + 200 + 7000 + 12300);
}

TEST(MemoryPlan, DropsQuantisedWeightsThatHaveDoneTheirWorkUnlessTheyAreWanted) {
  EXPECT_FALSE(plan(quantised(), 0).keeps(kEncoder, kDenoise));
  EXPECT_TRUE(plan(quantised(), 0, Residency::all).keeps(kEncoder, kDenoise));
  EXPECT_FALSE(plan(mapped(), 0, Residency::staged).keeps(kEncoder, kDenoise));
  EXPECT_FALSE(plan(mapped(), 0, Residency::staged).keeps(kTransformer, kEncode)) << "of the task before";
}

TEST(MemoryPlan, GivesUpNoMoreThanTheLimitAsksFor) {
  struct Case {
    std::uint64_t limit;
    bool staged, release_transformer, streamed;
  };
  for (const Case& c : {Case{22'000, false, false, false}, Case{14'000, true, false, false},
                        Case{13'400, true, true, false}, Case{10'000, true, true, true}}) {
    const MemoryPlan p = plan(mapped(), c.limit);
    EXPECT_EQ(p.keeps(kEncoder, kDenoise), !c.staged) << c.limit;
    EXPECT_EQ(p.keeps(kTransformer, kEncode), !c.staged) << c.limit;
    EXPECT_EQ(p.keeps(kTransformer, kDecode), !c.release_transformer) << c.limit;
    EXPECT_EQ(p.components[kTransformer].window < 12300, c.streamed) << c.limit;
    EXPECT_LE(p.peak, c.limit);
  }
}

TEST(MemoryPlan, StreamsNoMoreThanTheLimitAsksFor) {
  const MemoryPlan p = plan(mapped(), 10'000);
  EXPECT_EQ(p.components[kEncoder].window, 7000U) << "the encoder fits by itself";
  EXPECT_EQ(p.components[kTransformer].window, 10'000U - 300 - 700);
}

TEST(MemoryPlan, GivesTheDecoderWhatTheLimitLeaves) {
  EXPECT_EQ(plan(mapped(), 0).stages[kDecode].budget, 2500U);
  EXPECT_EQ(plan(mapped(), 30'000).stages[kDecode].budget, 2500U);
  EXPECT_EQ(plan(mapped(), 2'000).stages[kDecode].budget, 1'700U) << "300 for the process and the VAE";
  EXPECT_EQ(plan_memory(mapped(), {0, Residency::automatic, VaeTiling::on}, "x").stages[kDecode].budget, 0U);
  EXPECT_THROW(plan_memory(mapped(), {2'000, Residency::automatic, VaeTiling::off}, "x"), Error);
}

TEST(MemoryPlan, TellsTheFirstImageFromThoseThatFindMoreResident) {
  const MemoryPlan p = plan(mapped(), 0);
  EXPECT_EQ(p.stages[kEncode].peak, 100U + 7000 + 10);
  EXPECT_EQ(p.stages[kDenoise].peak, 100U + 7000 + 12300 + 700);
  EXPECT_EQ(p.stages[kDecode].peak, 100U + 7000 + 12300 + 200 + 2100);
  EXPECT_EQ(p.peak, p.stages[kDecode].peak);
}

TEST(MemoryPlan, TellsWhatAPeakIsMadeOf) {
  const MemoryPlan p = plan(mapped(), 0);
  std::vector<std::string> names;
  for (const MemoryPart& part : p.stages[kDecode].parts)
    names.push_back(part.name);
  EXPECT_THAT(names, testing::ElementsAre("transformer", "text_encoder", "activations", "vae", "process"));
  for (const MemoryNeeds& needs : {mapped(), quantised(), two_encoders(), language_model()}) {
    for (const std::uint64_t limit : {0, 6'000, 14'000}) {
      const MemoryPlan any =
          needs.components[0].weights.least == 3800 && limit == 6'000 ? plan(needs, 0) : plan(needs, limit);
      for (const StagePlan& stage : any.stages)
        EXPECT_EQ(sum(stage.parts), stage.peak) << stage.name;
      EXPECT_EQ(sum(any.held_parts), any.held);
    }
  }
}

TEST(MemoryPlan, ComponentsOfOneStageStayTogetherAndShareWhatIsLeft) {
  const MemoryPlan p = plan(two_encoders(), 0, Residency::staged);
  EXPECT_TRUE(p.keeps(3, kEncode));
  EXPECT_FALSE(p.keeps(3, kDenoise));
  EXPECT_EQ(p.stages[kEncode].peak, 100U + 7000 + 5000 + 10);
  const MemoryPlan little = plan(two_encoders(), 9'000);
  EXPECT_EQ(little.components[kEncoder].window + little.components[3].window, 9'000U - 100 - 200 - 10);
  EXPECT_GE(little.components[3].window, 300U);
}

TEST(MemoryPlan, AnOnlyComponentIsNeverDroppedOnlyStreamed) {
  EXPECT_EQ(plan(language_model(), 0).held, 3'500U);
  const MemoryPlan p = plan(language_model(), 2'000);
  EXPECT_TRUE(p.keeps(0, 0));
  EXPECT_EQ(p.components[0].window, 2'000U - 100 - 500);
}

TEST(MemoryPlan, FitsEveryLimitThatItAccepts) {
  for (const MemoryNeeds& needs : {mapped(), quantised(), two_encoders(), language_model()}) {
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
