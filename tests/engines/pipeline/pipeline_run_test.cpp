// SPDX-License-Identifier: Apache-2.0
// What a run tells and is told: reports, progress, cancelling, and what is kept between runs.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/tiny_models.h"

namespace engines::test {
namespace {

using roundhouse::test::kTinyModels;
using roundhouse::test::name_of_model;
using roundhouse::test::TinyModel;

const char* name_of_stage(Stage stage) {
  return stage == Stage::encode ? "encode" : stage == Stage::denoise ? "denoise" : "decode";
}

// Writes down what it is told; cancels once the last entry is `cancel_after`.
class RecordingRun : public Run {
 public:
  bool cancelled() override { return !cancel_after.empty() && !log.empty() && log.back() == cancel_after; }
  void progress(Stage stage, std::uint32_t step, std::uint32_t steps, std::uint64_t) override {
    std::string entry = name_of_stage(stage);
    entry += ' ' + std::to_string(step) + '/' + std::to_string(steps);
    log.push_back(entry);
  }
  void stage_done(const StageReport& report) override {
    log.push_back(std::string(name_of_stage(report.stage)) + " done");
    reports.push_back(report);
  }

  std::string cancel_after;
  std::vector<std::string> log;
  std::vector<StageReport> reports;
};

class PipelineRun : public testing::TestWithParam<TinyModel> {
 protected:
  void SetUp() override {
    request.prompt = "a red fox";
    request.width = 48;
    request.height = 32;
    request.steps = 3;
  }
  testing::AssertionResult cancelled_after(const std::string& entry, const std::string& message) {
    RecordingRun run;
    run.cancel_after = entry;
    return throws_error(RH_CANCELLED, message, [&] { pipeline.generate(request, run); });
  }

  std::unique_ptr<Kernels> kernels = make_openblas_kernels(2);
  OpenedModel pipeline{GetParam().folder(), *kernels};
  ImageRequest request;
};

TEST_P(PipelineRun, CancellingNamesStageAndStep) {
  struct CancelledAtOnce : QuietRun {
    bool cancelled() override { return true; }
  } at_once;
  EXPECT_TRUE(
      throws_error(RH_CANCELLED, "cancelled during encode", [&] { pipeline.generate(request, at_once); }));
  EXPECT_TRUE(cancelled_after("encode done", "cancelled during denoise, step 1 of 3"));
  EXPECT_TRUE(cancelled_after("denoise 2/3", "cancelled during denoise, step 3 of 3"));
  EXPECT_TRUE(cancelled_after("denoise done", "cancelled during decode"));
}

TEST_P(PipelineRun, CancellingIsNoticedWithinAStep) {
  struct CancelledLater : QuietRun {
    bool cancelled() override { return ++asked > 10; }
    int asked = 0;
  } later;  // 1 + 2 or 3 layers of the encoder, then 1 + 4 blocks in the first step and 1 + 3 or 4 in each
            // other
  EXPECT_TRUE(throws_error(RH_CANCELLED, "cancelled during denoise, step 2 of 3",
                           [&] { pipeline.generate(request, later); }));
}

TEST_P(PipelineRun, EveryStepAndStageIsToldInOrder) {
  request.guidance = 2;
  RecordingRun run;
  pipeline.generate(request, run);
  const std::vector<std::string> expected = {"encode 1/2",   "encode 2/2",  "encode done",
                                             "denoise 1/3",  "denoise 2/3", "denoise 3/3",
                                             "denoise done", "decode 1/1",  "decode done"};
  EXPECT_EQ(run.log, expected);
  for (const auto& report : run.reports) {
    EXPECT_GT(report.elapsed_ns, 0U);
    EXPECT_GT(report.operations, 0U);
    EXPECT_GT(report.activation_bytes, 0U);
  }
}

TEST_P(PipelineRun, GuidanceDoublesTheOperationsOfAStep) {
  RecordingRun plain, guided, truncated;
  request.negative_prompt = request.prompt;  // so that both captions are equally long
  pipeline.generate(request, plain);
  request.guidance = 2;
  pipeline.generate(request, guided);
  request.cfg_truncation = 0;  // the first step, at t = 0, alone
  pipeline.generate(request, truncated);
  const auto steps = [](const RecordingRun& run) { return run.reports[1].operations; };
  EXPECT_EQ(steps(guided), 2 * steps(plain));
  EXPECT_GT(steps(truncated), steps(plain));
  EXPECT_LT(steps(truncated), steps(guided));
}

TEST_P(PipelineRun, ASecondSeedOfAPromptSkipsTheEncoder) {
  RecordingRun first, second;
  request.seed = 1;
  pipeline.generate(request, first);
  request.seed = 2;
  const Image kept = pipeline.generate(request, second);
  EXPECT_GT(first.reports[0].operations, 0U);
  EXPECT_EQ(second.reports[0].operations, 0U);

  OpenedModel fresh(GetParam().folder(), *kernels);
  EXPECT_EQ(fresh.generate(request, second).rgb, kept.rgb);
}

TEST_P(PipelineRun, OnlyTheLastFourPromptsAreKept) {
  RecordingRun run;
  for (const char* const prompt : {"one", "two", "three", "four", "five", "one"}) {
    request.prompt = prompt;
    request.steps = 1;
    pipeline.generate(request, run);
  }
  EXPECT_GT(run.reports[5 * 3].operations, 0U) << "the first of five prompts was forgotten";
}

TEST_P(PipelineRun, AFailedRunLeavesThePipelineUsable) {
  RecordingRun undisturbed;
  const Image expected = pipeline.generate(request, undisturbed);
  EXPECT_TRUE(cancelled_after("denoise 1/3", "step 2 of 3"));
  RecordingRun again;
  EXPECT_EQ(pipeline.generate(request, again).rgb, expected.rgb);
}

INSTANTIATE_TEST_SUITE_P(Models, PipelineRun, testing::ValuesIn(kTinyModels), name_of_model);

}  // namespace
}  // namespace engines::test
