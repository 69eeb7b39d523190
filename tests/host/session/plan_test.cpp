// SPDX-License-Identifier: Apache-2.0
// Tests of plans: every refusal before an engine starts, the order of refusals, and what is decided.
#include <cmath>
#include <functional>

#include "host/session/values.h"
#include "plan_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// ---- values ----

struct Refusal {
  std::function<void(GenerateRequest&)> change;
  rh_status code;
  std::string message;
};

TEST_F(PlanTest, RefusesValuesNamingFieldValueAndExpectation) {
  const double nan = std::nan("");
  const double infinity = INFINITY;
  const std::vector<Refusal> refusals = {
      {[](auto& r) { r.prompt = ""; }, RH_INVALID_ARGUMENT, "prompt: is blank, expected some text"},
      {[](auto& r) { r.prompt = " \t\n\xE3\x80\x80"; }, RH_INVALID_ARGUMENT, "prompt: is blank"},
      {[](auto& r) { r.prompt = "\xE2\x80\x8B\xEF\xBB\xBF"; }, RH_INVALID_ARGUMENT, "prompt: is blank"},
      {[](auto& r) { r.prompt = "a\xff"; }, RH_INVALID_ARGUMENT, "prompt: byte 1 is not UTF-8"},
      {[](auto& r) { r.prompt = "a\xC0\x80"; }, RH_INVALID_ARGUMENT, "prompt: byte 1 is not UTF-8"},
      {[](auto& r) { r.prompt = "a\xED\xA0\x80"; }, RH_INVALID_ARGUMENT, "prompt: byte 1 is not UTF-8"},
      {[](auto& r) { r.prompt = std::string("a\0b", 3); }, RH_INVALID_ARGUMENT, "prompt: byte 1 is a NUL"},
      {[](auto& r) { r.prompt = std::string(65537, 'x'); }, RH_INVALID_ARGUMENT,
       "prompt: 65537 bytes are too long, expected at most 65536"},
      {[](auto& r) { r.negative_prompt = "\xff"; }, RH_INVALID_ARGUMENT, "negative prompt: byte 0"},
      {[](auto& r) { r.steps = 0; }, RH_INVALID_ARGUMENT, "steps: 0 is out of range, expected 1 to 50"},
      {[](auto& r) { r.steps = 51; }, RH_INVALID_ARGUMENT, "steps: 51 is out of range, expected 1 to 50"},
      {[](auto& r) { r.steps = INT64_MIN; }, RH_INVALID_ARGUMENT, "steps: -9223372036854775808 is out of"},
      {[](auto& r) { r.guidance = -0.1; }, RH_INVALID_ARGUMENT,
       "guidance: -0.1 is out of range, expected 0 to 20"},
      {[](auto& r) { r.guidance = 20.1; }, RH_INVALID_ARGUMENT,
       "guidance: 20.1 is out of range, expected 0 to 20"},
      {[=](auto& r) { r.guidance = nan; }, RH_INVALID_ARGUMENT, "guidance: nan is not a finite number"},
      {[=](auto& r) { r.cfg_normalization = infinity; }, RH_INVALID_ARGUMENT,
       "cfg normalization: inf is not a finite number, expected 0 or more"},
      {[](auto& r) { r.cfg_normalization = -1; }, RH_INVALID_ARGUMENT,
       "cfg normalization: -1 is out of range"},
      {[](auto& r) { r.cfg_truncation = 1.5; }, RH_INVALID_ARGUMENT,
       "cfg truncation: 1.5 is out of range, expected 0 to 1"},
      {[=](auto& r) { r.cfg_truncation = nan; }, RH_INVALID_ARGUMENT, "cfg truncation: nan"},
      {[](auto& r) { r.images = 0; }, RH_INVALID_ARGUMENT, "num-images: 0 is out of range, expected 1 to 16"},
      {[](auto& r) { r.images = 17; }, RH_INVALID_ARGUMENT,
       "num-images: 17 is out of range, expected 1 to 16"},
      {[](auto& r) { r.seed = -2; }, RH_INVALID_ARGUMENT,
       "seed: -2 is out of range, expected -1 (random) or 0 to"},
      {[](auto& r) { r.seed = INT64_MAX, r.images = 2; }, RH_INVALID_ARGUMENT,
       "seed: 9223372036854775807 is out of range, expected at most 9223372036854775806 for 2 images"},
      {[](auto& r) { r.aspect = "5:4"; }, RH_INVALID_ARGUMENT, "aspect: '5:4' is not known"},
      {[](auto& r) { r.aspect = "1:1", r.width = 256; }, RH_INVALID_ARGUMENT,
       "together with a width or height"},
      {[](auto& r) { r.device = "cpu"; }, RH_CPU_NOT_ALLOWED,
       "device 'cpu' was asked for without permission"},
  };
  for (const Refusal& refusal : refusals) {
    request_ = GenerateRequest();
    request_.prompt = "a red circle";
    refusal.change(request_);
    expect_refused(refusal.code, refusal.message);
  }
}

TEST_F(PlanTest, TakesTheEndsOfEveryRange) {
  request_.prompt = std::string(65536, 'x');
  request_.steps = 50;
  request_.guidance = 20;
  request_.cfg_truncation = 0;
  request_.images = 16;
  request_.seed = INT64_MAX - 15;  // the last image's is the largest
  request_.width = 64;
  request_.height = 512;
  EXPECT_NO_THROW(plan());
  request_.steps = 1;
  request_.guidance = 0;
  request_.images = 1;
  request_.seed = 0;
  EXPECT_NO_THROW(plan());
}

// ---- names, sizes, models, routing ----

TEST_F(PlanTest, RefusesNamesThatAreNotThere) {
  request_.model = "pocket-turbp";
  expect_refused(RH_MODEL_NOT_FOUND, "pocket-turbo");
  request_.model = "..";
  expect_refused(RH_WEIGHTS_MISSING, "model_index.json");
  request_.model = "a b";
  expect_refused(RH_UNSAFE_NAME, "'a b'");
  request_.model = "./no/such/directory";
  expect_refused(RH_MODEL_NOT_FOUND, "no such directory");
  request_.engine = "vulkan";
  expect_refused(RH_ENGINE_NOT_FOUND, "engine 'vulkan' was not found among: fast, plain, card");
}

TEST_F(PlanTest, RefusesASizeBeforeItMissesTheModelsFiles) {
  request_.model = "z-image-turbo";
  request_.width = 1000;
  expect_refused(RH_INVALID_DIMENSION,
                 "width: 1000 is not a multiple of 64, expected 256 to 2048 in multiples of 64 for model "
                 "'z-image-turbo'");
  request_.width = 1024;
  expect_refused(RH_MODEL_NOT_FOUND, "z-image-turbo");
}

TEST_F(PlanTest, RefusesInTheDocumentedOrder) {
  request_.steps = 0;
  request_.engine = "vulkan";
  request_.model = "nothing";
  request_.width = 1;
  request_.device = "metal";
  expect_refused(RH_INVALID_ARGUMENT, "steps");
  request_.steps = 1;
  expect_refused(RH_ENGINE_NOT_FOUND, "vulkan");
  request_.engine = "fast";
  expect_refused(RH_MODEL_NOT_FOUND, "nothing");
  request_.model = "z-image";
  expect_refused(RH_INVALID_DIMENSION, "width: 1 ");
  request_.width = 256;
  expect_refused(RH_MODEL_NOT_FOUND, "z-image");
  request_.model = "pocket-turbo";
  expect_refused(RH_UNSUPPORTED_DEVICE, "device 'metal' is not available");
}

TEST_F(PlanTest, RefusesWhatNoEngineCanDo) {
  request_.sampler = "magic";
  expect_refused(RH_INVALID_ARGUMENT, "sampler: 'magic' is not known");
  request_.sampler.reset();
  request_.engine = "fast";
  request_.guidance = 2;
  request_.cfg_truncation = 0.5;
  expect_refused(RH_CAPABILITY_UNSUPPORTED, "cfg-truncation");
}

TEST_F(PlanTest, HoldsTheSizeAgainstTheEnginesLimitsToo) {
  auto manifest = engine("small", 1, {});
  manifest.limits["width"] = {64, 128, 32};
  registry_ = Registry(candidates({manifest}));
  expect_refused(RH_INVALID_DIMENSION, "width: 256 is out of range for engine 'small', expected 64 to 128");
}

// ---- decisions ----

TEST_F(PlanTest, TakesDefaultsFromTheModel) {
  const GeneratePlan turbo = plan();
  EXPECT_EQ(name_of(turbo.model), "pocket-turbo");
  EXPECT_EQ(architecture_of(turbo.model), "ZImagePipeline");
  EXPECT_TRUE(std::get<LocalDirectory>(turbo.model->place).path.is_absolute());
  EXPECT_EQ(turbo.job.steps, 8U);
  EXPECT_EQ(turbo.job.guidance, 0);
  EXPECT_EQ(turbo.job.width, 256U);
  EXPECT_EQ(turbo.engine, "fast");
  EXPECT_EQ(turbo.device, "cpu");
  EXPECT_THAT(turbo.notes, IsEmpty());
}

TEST_F(PlanTest, LetsTheRequestReplaceTheModelsDefaults) {
  request_.steps = 3;
  request_.height = 128;
  request_.sampler = "dpmpp-2m";
  request_.engine = "plain";
  request_.device = "cpu";
  request_.allow_cpu = true;
  const GeneratePlan made = plan();
  EXPECT_EQ(made.job.steps, 3U);
  EXPECT_EQ(made.job.width, 256U);
  EXPECT_EQ(made.job.height, 128U);
  EXPECT_EQ(made.job.sampler, "dpmpp-2m");
  EXPECT_EQ(made.engine, "plain");
}

TEST_F(PlanTest, DrawsASeedOnlyWhenNoneWasAskedFor) {
  EXPECT_EQ(plan().job.seed, 42U) << "modulo 2^63";
  request_.seed = -1;
  EXPECT_EQ(plan().job.seed, 42U);
  request_.seed = 7;
  EXPECT_EQ(plan().job.seed, 7U);
}

TEST_F(PlanTest, NeedsTheFeaturesThatAreUsedAndNoOthers) {
  request_.guidance = 3;
  EXPECT_THAT(plan().route.features, UnorderedElementsAre("guidance"));
  request_.negative_prompt = "blurry";
  request_.cfg_normalization = 1;
  EXPECT_THAT(plan().route.features,
              UnorderedElementsAre("guidance", "negative-prompt", "cfg-normalization"));
  request_.cfg_truncation = 0.5;
  const GeneratePlan made = plan();
  EXPECT_THAT(made.route.features, Contains("cfg-truncation"));
  EXPECT_EQ(made.engine, "plain") << "the fast one cannot do it";
  EXPECT_EQ(made.job.negative_prompt, "blurry");
}

TEST_F(PlanTest, NotesWhatHasNoEffectWithoutGuidance) {
  request_.negative_prompt = "blurry";
  request_.cfg_normalization = 1;
  request_.cfg_truncation = 0.5;
  const GeneratePlan made = plan();
  EXPECT_THAT(made.notes, ElementsAre("negative prompt has no effect without guidance",
                                      "cfg normalization has no effect without guidance",
                                      "cfg truncation has no effect without guidance"));
  EXPECT_THAT(made.route.features, IsEmpty());
  EXPECT_EQ(made.job.negative_prompt, std::nullopt);
}

TEST_F(PlanTest, TellsRoutingAllThatEnginesMayLimit) {
  EXPECT_THAT(plan().route.quantities,
              UnorderedElementsAre(Pair("width", 256), Pair("height", 256), Pair("steps", 8),
                                   Pair("guidance", 0), Pair("prompt-bytes", 12)));
}

TEST_F(PlanTest, AnEngineWithoutModelsNeedsNone) {
  request_.engine = "card";
  const GeneratePlan made = plan();
  EXPECT_FALSE(made.model.has_value());
  EXPECT_EQ(made.job.width, 512U);
  request_.width = 520;
  expect_refused(RH_INVALID_DIMENSION,
                 "width: 520 is above 512, expected 16 to 512 in multiples of 16 for engine 'card'");
  request_.width.reset();
  request_.model = "pocket-turbo";
  EXPECT_THAT(plan().notes, ElementsAre("model 'pocket-turbo' is not used: engine 'card' needs none"));
}

TEST_F(PlanTest, AnEngineWithoutModelsRefusesNamesOfModelsThatMeanNothing) {
  request_.engine = "card";
  request_.model = "pocket-turbp";
  expect_refused(RH_MODEL_NOT_FOUND, "pocket-turbp");
  request_.model = "../../etc";
  expect_refused(RH_MODEL_NOT_FOUND, "../../etc");
  request_.model = "..a";
  expect_refused(RH_UNSAFE_NAME, "..a");
}

}  // namespace
}  // namespace roundhouse::host
