// SPDX-License-Identifier: Apache-2.0
// Tests of placements: which engine a model or an image goes to, and what is said when none will do.
#include "plan_fixture.h"

namespace roundhouse::host {
namespace {

TEST_F(PlanTest, ARefusalOfRoutingTellsWhatItSaysOfEachEngine) {
  const auto verdicts = [&] {
    try {
      plan();
    } catch (const RoutingRefusal& refusal) {
      return refusal.decision().verdicts;
    }
    return std::vector<Verdict>{};
  };
  request_.device = "metal";
  ASSERT_EQ(verdicts().size(), 3U);
  EXPECT_EQ(verdicts()[0].engine, "fast");
  EXPECT_EQ(verdicts()[0].refusal->code(), RH_UNSUPPORTED_DEVICE);
  request_.device = "auto";
  request_.engine = "steam";
  EXPECT_EQ(verdicts().size(), 3U);
}

// ---- placements without a task ----

TEST_F(PlanTest, AModelIsPlacedWhereItsImagesWouldBeMade) {
  const Placement turbo = place_model({}, registry_, models_);
  EXPECT_EQ(name_of(turbo.model), "pocket-turbo");
  EXPECT_EQ(turbo.engine, "fast");
  EXPECT_EQ(turbo.device, "cpu");
  request_.model = "pocket-base";
  EXPECT_EQ(place_model(request_, registry_, models_).engine, plan().engine);
  EXPECT_EQ(place_model(request_, registry_, models_).route.features, plan().route.features);
}

TEST_F(PlanTest, APlacementLooksAtNothingThatIsOfAnImage) {
  request_ = {};
  request_.steps = 0;
  request_.aspect = "5:4";
  EXPECT_NO_THROW(place_model(request_, registry_, models_));
}

TEST_F(PlanTest, AModelThatCannotBePlacedIsRefusedAsAPlanIs) {
  const auto code = [&](const GenerateRequest& request) -> rh_status {
    try {
      place_model(request, registry_, models_);
    } catch (const Error& error) {
      return error.code();
    }
    return RH_OK;
  };
  GenerateRequest request;
  request.model = "pocket-turbp";
  EXPECT_EQ(code(request), RH_MODEL_NOT_FOUND);
  request = {};
  request.engine = "vulkan";
  EXPECT_EQ(code(request), RH_ENGINE_NOT_FOUND);
  request = {};
  request.device = "metal";
  EXPECT_EQ(code(request), RH_UNSUPPORTED_DEVICE);
  request.device = "cpu";
  EXPECT_EQ(code(request), RH_CPU_NOT_ALLOWED);
}

TEST_F(PlanTest, ATeachingEngineIsNeverChosenByItself) {
  registry_ = Registry(candidates({modelless_engine()}));
  EXPECT_THROW(plan(), Error);
}

TEST_F(PlanTest, ABareDirectoryObeysOnlyTheHardRule) {
  request_.model = std::string(ROUNDHOUSE_MODELS) + "/pocket-turbo";
  request_.width = 1024;
  EXPECT_EQ(plan().job.width, 1024U);
  request_.width = 1000;
  expect_refused(RH_INVALID_DIMENSION, "width: 1000 is not a multiple of 16, expected 16 to 2048");
}

TEST_F(PlanTest, ADeviceOfItsOwnComesBeforeTheProcessor) {
  auto manifest = engine("card0", 1, {});
  manifest.capabilities["device"] = {"cpu", "cuda:0", "cuda:1"};
  registry_ = Registry(candidates({manifest}));
  EXPECT_EQ(plan().device, "cuda:0");
  request_.device = "cpu";
  request_.allow_cpu = true;
  EXPECT_EQ(plan().device, "cpu");
}

TEST_F(PlanTest, RatesAreThoseOfTheWeightsThatTheModelWillHave) {
  request_.model = "pocket-turbo";
  EXPECT_EQ(plan().route.weight_type, "bf16");
  request_.weights = "stored";
  registry_ = Registry(candidates({[] {
    EngineManifest manifest = engine("fast", 100, {});
    manifest.capabilities["weights"] = {"stored", "q8_0"};
    return manifest;
  }()}));
  EXPECT_EQ(plan().route.weight_type, "bf16");
  request_.weights = "q8_0";
  EXPECT_EQ(plan().route.weight_type, "q8_0");
  request_.weights.reset();
  request_.model_options = {{"weights", std::string("q8_0")}};
  EXPECT_EQ(plan().route.weight_type, "q8_0");
  request_.engine_options = {{"products", std::string("f32")}};
  EXPECT_EQ(plan().route.weight_type, std::nullopt) << "engines are measured without options";
}

}  // namespace
}  // namespace roundhouse::host
