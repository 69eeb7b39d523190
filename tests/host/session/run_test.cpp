// SPDX-License-Identifier: Apache-2.0
// Tests of runs: images one after the other, the way out, and engines that turn out not to load. The test
// program is its own worker.
#include "host/session/image_runner.h"

#include <string_view>

#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Sound in its manifest, chosen before the puppet, and never able to load.
EngineManifest broken_manifest(int score = 100) {
  EngineManifest manifest = bad_manifest("crash_in_init");
  manifest.maturity = "stable";
  manifest.score = score;
  return manifest;
}

class RunTest : public WorkerTest {
 protected:
  RunTest() { request_.prompt = "an image"; }

  // What make_plan would make, but for engines that need no model chosen automatically.
  GeneratePlan plan_of(const std::vector<EngineManifest>& manifests, const std::string& prompt) {
    std::vector<Candidate> candidates;
    for (const auto& manifest : manifests)
      candidates.push_back({manifest.file, "flag", manifest, std::nullopt, std::nullopt});
    registry_ = Registry(std::move(candidates));
    GeneratePlan plan;
    plan.job = job_of(prompt);
    plan.route.engine = request_.engine;
    plan.decision = route(plan.route, registry_.records());
    plan.engine = plan.decision.engine;
    plan.device = "cpu";
    return plan;
  }

  LeaseReport run(const GeneratePlan& plan, const ImageEvents& events) {
    OneWorker worker(registry_, options_, factory_);
    return ImageRunner(worker).run(plan, std::nullopt, cancelled_, events);
  }
  LeaseReport run(const GeneratePlan& plan) {
    ImageEvents events;
    events.loaded = [this](const LeaseReport& lease) { story_ += "loaded " + lease.opened.engine.id + "; "; };
    events.progress = [this](const StepEvent& event) {
      story_ += std::to_string(event.image) + "." + std::to_string(event.step) + " ";
      if (event.step == cancel_at_) cancelled_.store(true);
    };
    events.image = [this](std::uint32_t image, std::uint64_t seed, const ImageResult& result) {
      story_ += "image " + std::to_string(image) + " ";
      seeds_.push_back(seed);
      blue_.push_back(result.image.rgb.at(2));
    };
    return run(plan, events);
  }

  GenerateRequest request_;
  Registry registry_{std::vector<Candidate>()};
  ClientFactory factory_ = make_worker_client;
  std::atomic<bool> cancelled_{false};
  std::uint32_t cancel_at_ = 0;
  std::string story_;
  std::vector<std::uint64_t> seeds_;
  std::vector<int> blue_;
};

TEST_F(RunTest, AnExplicitEngineThatDoesNotLoadIsAnErrorAndNoFallback) {
  request_.engine = "bad-crash-in-init";
  const GeneratePlan plan = plan_of({broken_manifest(), puppet_manifest()}, "an image");
  expect_error(RH_ENGINE_CRASHED, "engine 'bad-crash-in-init' died of signal 11 (SIGSEGV) in probe",
               [&] { run(plan); });
  EXPECT_EQ(story_, "");
  EXPECT_EQ(state_name(registry_.records()[0].state), "unusable");
}

TEST_F(RunTest, WithoutAnotherEngineTheErrorIsThatOfTheLast) {
  const GeneratePlan plan = plan_of({broken_manifest()}, "an image");
  expect_error(RH_ENGINE_CRASHED, "engine 'bad-crash-in-init' died", [&] { run(plan); });
}

TEST_F(RunTest, ACrashInTheMiddleIsAnErrorAndNoFallback) {
  const GeneratePlan plan = plan_of({puppet_manifest()}, "exit");
  expect_error(RH_ENGINE_CRASHED, "engine 'puppet' ended its process with status 3 in generate",
               [&] { run(plan); });
  EXPECT_EQ(story_, "loaded puppet; ");
}

TEST_F(RunTest, AutomaticRoutingTakesTheNextEngineAndSaysSo) {
  const GeneratePlan plan = plan_of({broken_manifest(), puppet_manifest()}, "an image");
  ASSERT_EQ(plan.engine, "bad-crash-in-init");
  const LeaseReport result = run(plan);
  EXPECT_EQ(result.placement.engine, "puppet");
  EXPECT_THAT(result.notes, ElementsAre("engine 'bad-crash-in-init' cannot be used (engine "
                                        "'bad-crash-in-init' died of signal 11 (SIGSEGV) in probe); engine "
                                        "'puppet' takes its place"));
  EXPECT_EQ(state_name(registry_.records()[0].state), "unusable");
  EXPECT_EQ(state_name(registry_.records()[1].state), "available");
}

TEST_F(RunTest, AnEngineIsHeldToWhatItSaysOfItself) {
  EngineManifest boaster = puppet_manifest();
  boaster.capabilities["feature"].emplace_back("lora");
  GeneratePlan plan = plan_of({boaster}, "an image");
  plan.route.features = {"lora"};
  expect_error(RH_LORA_UNSUPPORTED_ENGINE, "engine 'puppet' takes no LoRA", [&] { run(plan); });
}

TEST_F(RunTest, ImagesComeOneAfterTheOtherWithRisingSeeds) {
  GeneratePlan plan = plan_of({puppet_manifest()}, "an image");
  plan.images = 3;
  const LeaseReport result = run(plan);
  EXPECT_EQ(result.placement.engine, "puppet");
  EXPECT_EQ(result.opened.engine.id, "puppet");
  EXPECT_EQ(story_, "loaded puppet; 0.1 0.2 image 0 1.1 1.2 image 1 2.1 2.2 image 2 ");
  EXPECT_THAT(seeds_, ElementsAre(5, 6, 7));
  EXPECT_THAT(blue_, ElementsAre(5, 6, 7)) << "the engine got the same seeds";
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(RunTest, SeedsWrapAtTwoToThe63) {
  GeneratePlan plan = plan_of({puppet_manifest()}, "an image");
  plan.images = 2;
  plan.job.seed = INT64_MAX;
  run(plan);
  EXPECT_THAT(seeds_, ElementsAre(INT64_MAX, 0));
}

TEST_F(RunTest, ACancelEndsTheRunInTheMiddleOfAnImage) {
  GeneratePlan plan = plan_of({puppet_manifest()}, "slow");
  plan.job.steps = 50;
  plan.images = 2;
  cancel_at_ = 3;
  expect_error(RH_CANCELLED, "engine 'puppet': cancelled during denoise, after step", [&] { run(plan); });
  EXPECT_THAT(seeds_, IsEmpty());
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(RunTest, ACancelBeforehandStartsNothing) {
  cancelled_.store(true);
  expect_error(RH_CANCELLED, "cancelled before", [&] { run(plan_of({puppet_manifest()}, "an image")); });
  EXPECT_EQ(story_, "");
}

TEST_F(RunTest, AnExceptionOfTheCallerPassesThrough) {
  ImageEvents events;
  events.image = [](std::uint32_t, std::uint64_t, const ImageResult&) { throw Error(RH_IO_ERROR, "disk"); };
  const GeneratePlan plan = plan_of({puppet_manifest()}, "an image");
  expect_error(RH_IO_ERROR, "disk", [&] { run(plan, events); });
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(RunTest, InProcessItDoesTheSameWithoutAWorker) {
  factory_ = make_in_process_client;
  GeneratePlan plan = plan_of({puppet_manifest()}, "an image");
  plan.images = 2;
  run(plan);
  EXPECT_THAT(blue_, ElementsAre(5, 6));
}

}  // namespace
}  // namespace roundhouse::host

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--worker") return roundhouse::host::worker_main(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
