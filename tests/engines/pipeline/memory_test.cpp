// SPDX-License-Identifier: Apache-2.0
// Whatever is released, streamed, rounded or tiled: the same image; and what is foretold comes true.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/weights/block_window.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/tiny_models.h"

namespace engines::test {
namespace {

using roundhouse::test::kTinyModels;
using roundhouse::test::name_of_model;
using roundhouse::test::TinyModel;

// Its feed-forward matrices are large enough to be rounded.
const std::filesystem::path kPocket = std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-turbo";

ImageRequest small_request() {
  ImageRequest request;
  request.prompt = "a red fox";
  request.width = 64;
  request.height = 96;
  request.steps = 2;
  return request;
}

class LoadCount : public QuietRun {
 public:
  void stage_done(const StageReport& report) override {
    if (report.stage == Stage::load) ++loads;
    operations[report.stage] += report.operations;
  }
  int loads = 0;
  std::map<Stage, std::uint64_t> operations;
};

class MemoryTest {
 protected:
  std::vector<float> image(const std::filesystem::path& folder, const PipelineOptions& options,
                           const ImageRequest& request) {
    return OpenedModel(folder, *kernels, options).generate(request, run).rgb;
  }
  std::unique_ptr<Kernels> kernels = make_openblas_kernels(2);
  LoadCount run;
};

class PipelineMemory : public MemoryTest, public testing::TestWithParam<TinyModel> {
 protected:
  const std::filesystem::path model = GetParam().folder();
};

TEST_P(PipelineMemory, ALimitThatCannotBeMetIsRefusedBeforeAnythingIsComputed) {
  PipelineOptions options;
  options.memory.limit = 1'000'000;
  OpenedModel pipeline(model, *kernels, options);
  EXPECT_TRUE(throws_error(RH_OUT_OF_MEMORY, "an image of 64x96 needs at least",
                           [&] { pipeline.generate(small_request(), run); }));
  EXPECT_TRUE(run.operations.empty());
}

TEST_P(PipelineMemory, EveryWayToSaveItGivesTheSameImage) {
  ImageRequest request = small_request();
  request.guidance = 2;
  request.negative_prompt = "a longer text than the prompt, whose session lends its scratch memory";
  const auto expected = image(model, {}, request);
  PipelineOptions staged;
  staged.memory.residency = Residency::staged;
  EXPECT_EQ(image(model, staged, request), expected);
  PipelineOptions tiled;
  tiled.memory.vae_tiling = VaeTiling::on;
  EXPECT_EQ(image(model, tiled, request), expected);
  PipelineOptions whole;
  whole.memory.vae_tiling = VaeTiling::off;
  EXPECT_EQ(image(model, whole, request), expected);
}

class RoundedMemory : public MemoryTest, public testing::Test {};

TEST_F(RoundedMemory, RoundedWeightsThatWereReleasedComeBackTheSame) {
  PipelineOptions options;
  options.weights = Dtype::q8_0;
  options.threads = 2;
  OpenedModel staged(kPocket, *kernels, options);
  options.memory.residency = Residency::all;
  OpenedModel kept(kPocket, *kernels, options);
  ImageRequest request = small_request();
  request.height = 64;
  for (const char* prompt : {"a red fox", "a blue boat"}) {
    request.prompt = prompt;
    EXPECT_EQ(staged.generate(request, run).rgb, kept.generate(request, run).rgb) << prompt;
  }
  EXPECT_EQ(run.loads, 2 + 2 + 2) << "twice for each of two prompts, and once for each of two that stay";
}

TEST_F(RoundedMemory, TheSamePromptNeedsNoEncoderAgain) {
  PipelineOptions options;
  options.weights = Dtype::q8_0;
  OpenedModel pipeline(kPocket, *kernels, options);
  ImageRequest request = small_request();
  request.height = 64;
  pipeline.generate(request, run);
  const auto encoded = run.operations[Stage::encode];
  request.seed = 7;
  pipeline.generate(request, run);
  EXPECT_EQ(run.loads, 2) << "encoder and transformer, once each";
  EXPECT_EQ(run.operations[Stage::encode], encoded);
}

TEST_P(PipelineMemory, GuidanceCostsTwoPassesAndNoMore) {
  ImageRequest request = small_request();
  image(model, {}, request);
  const auto once = run.operations[Stage::denoise];
  run.operations.clear();
  request.guidance = 2;
  request.negative_prompt = request.prompt;
  image(model, {}, request);
  EXPECT_EQ(run.operations[Stage::denoise], 2 * once);
}

TEST_P(PipelineMemory, TheEstimateCountsWhatTheRunWillCount) {
  for (const double guidance : {0.0, 3.0}) {
    ImageRequest request = small_request();
    request.guidance = guidance;
    request.steps = 3;
    const ImageCost cost = estimate_image(architectures(), model, *kernels, {}, request, run);
    run.operations.clear();
    image(model, {}, request);
    ASSERT_EQ(cost.stages.size(), 4U);
    for (const StageCost& stage : cost.stages) {
      EXPECT_EQ(stage.operations, run.operations[stage.stage]) << static_cast<int>(stage.stage);
      EXPECT_GT(stage.seconds, 0);
      EXPECT_GT(stage.peak_bytes, 0U);
    }
  }
}

TEST_P(PipelineMemory, TheEstimateRefusesWhatTheRunWouldRefuse) {
  PipelineOptions options;
  options.memory.limit = 1'000'000;
  EXPECT_TRUE(throws_error(RH_OUT_OF_MEMORY, "the memory limit is ", [&] {
    estimate_image(architectures(), model, *kernels, options, small_request(), run);
  }));
  ImageRequest request = small_request();
  request.width = 65;
  EXPECT_TRUE(throws_error(RH_INVALID_DIMENSION, "65 is not a multiple of 16",
                           [&] { estimate_image(architectures(), model, *kernels, {}, request, run); }));
}

INSTANTIATE_TEST_SUITE_P(Models, PipelineMemory, testing::ValuesIn(kTinyModels), name_of_model);

TEST(BlockRow, KeepsAsManyBlocksAsLeaveRoomForThoseThatPass) {
  const BlockRow row{.rest = 10, .block = 100, .count = 30};
  EXPECT_EQ(row.all(), 3010U);
  EXPECT_EQ(row.least(), 110U);
  EXPECT_EQ(row.kept(std::numeric_limits<std::uint64_t>::max()), 30U);
  EXPECT_EQ(row.kept(3010), 30U);
  EXPECT_EQ(row.kept(3009), 28U);
  EXPECT_EQ(row.kept(210), 1U);
  EXPECT_EQ(row.kept(209), 0U);
  EXPECT_EQ(row.kept(0), 0U);
}

}  // namespace
}  // namespace engines::test
