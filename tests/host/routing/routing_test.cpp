// SPDX-License-Identifier: Apache-2.0
// Routing as tables: a request against a fixed yard of engines, and who is chosen or what is refused.
#include "host/routing/routing.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/host/routing/yard.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Case {
  const char* name;
  void (*change)(RouteRequest&);
  const char* engine;  // chosen; "" = refused
  rh_status code;
  const char* part;  // of the message
};

const Case kCases[] = {
    // automatic
    {"TheHighestScoreThatCan", [](RouteRequest&) {}, "openblas", RH_OK, ""},
    {"AutoIsAutomatic", [](RouteRequest& r) { r.engine = "auto"; }, "openblas", RH_OK, ""},
    {"ASamplerOfTheSlowOne", [](RouteRequest& r) { r.sampler = "dpm++"; }, "reference", RH_OK, ""},
    {"ADtypeOfTheSlowOne",
     [](RouteRequest& r) {
       r.dtypes = {"f32", "f16"};
     },
     "reference", RH_OK, ""},
    {"AFeatureOfTheFastOne", [](RouteRequest& r) { r.features = {"lora"}; }, "openblas", RH_OK, ""},
    {"AnotherWeightFormat", [](RouteRequest& r) { r.weight_format = "gguf", r.dtypes = {"q8_0"}; }, "card",
     RH_OK, ""},
    {"CpuByName", [](RouteRequest& r) { r.device = "cpu"; }, "openblas", RH_OK, ""},
    {"AConversionNeedsNoModel",
     [](RouteRequest& r) {
       r = {};
       r.convert = "q8_0";
     },
     "reference", RH_OK, ""},
    // automatic, and nobody can
    {"UnknownConversion", [](RouteRequest& r) { r.convert = "q2_k"; }, "", RH_CAPABILITY_UNSUPPORTED,
     "does not convert to q2_k, expected one of: none; no engine does"},
    {"UnknownTask", [](RouteRequest& r) { r.task = "chat"; }, "", RH_CAPABILITY_UNSUPPORTED,
     "does not do chat; no engine does"},
    {"UnknownArchitecture", [](RouteRequest& r) { r.architecture = "FluxPipeline"; }, "",
     RH_CAPABILITY_UNSUPPORTED, "'FluxPipeline', expected one of: ZImagePipeline"},
    {"UnknownDevice", [](RouteRequest& r) { r.device = "metal"; }, "", RH_UNSUPPORTED_DEVICE,
     "device 'metal' is not available, expected one of: auto, cpu, cuda:0"},
    {"UnknownFormat", [](RouteRequest& r) { r.weight_format = "pickle"; }, "", RH_MODEL_NOT_CONVERTED,
     "the model is stored as pickle"},
    {"UnknownDtype",
     [](RouteRequest& r) {
       r.dtypes = {"f32", "q4_k"};
     },
     "", RH_MODEL_NOT_CONVERTED, "dtype q4_k, engine 'openblas' reads f32, bf16"},
    {"UnknownFeature", [](RouteRequest& r) { r.features = {"inpaint"}; }, "", RH_CAPABILITY_UNSUPPORTED,
     "does not do inpaint; no engine does"},
    {"UnknownSampler", [](RouteRequest& r) { r.sampler = "ddim"; }, "", RH_INVALID_ARGUMENT,
     "sampler: 'ddim' is not known, expected one of: dpm++, euler"},
    {"UnknownSchedule", [](RouteRequest& r) { r.schedule = "karras"; }, "", RH_INVALID_ARGUMENT,
     "schedule: 'karras' is not known, expected one of: dpm-flow, flow"},
    {"ScheduleOfAnotherSampler",
     [](RouteRequest& r) {
       r.engine = "reference";
       r.sampler = "dpm++";
       r.schedule = "flow";
     },
     "", RH_CAPABILITY_UNSUPPORTED,
     "sampler 'dpm++' of engine 'reference' cannot follow 'flow', expected one of: dpm-flow"},
    {"ScheduleThatTheDefaultSamplerCannotFollow", [](RouteRequest& r) { r.schedule = "dpm-flow"; }, "",
     RH_CAPABILITY_UNSUPPORTED,
     "sampler 'euler' of engine 'openblas' cannot follow 'dpm-flow', expected one of: flow"},
    {"TooWide",
     [](RouteRequest& r) {
       r.quantities = {{"width", 4096}};
     },
     "", RH_INVALID_DIMENSION, "width: 4096 is out of range for engine 'openblas', expected 16 to 2048"},
    {"NotAMultiple",
     [](RouteRequest& r) {
       r.quantities = {{"height", 1000}};
     },
     "", RH_INVALID_DIMENSION, "height: 1000 is not a multiple of 16"},
    {"NotANumber",
     [](RouteRequest& r) {
       r.quantities = {{"width", NAN}};
     },
     "", RH_INVALID_DIMENSION, "out of range"},
    {"TooManySteps",
     [](RouteRequest& r) {
       r.quantities = {{"steps", 51}};
     },
     "", RH_INVALID_ARGUMENT, "steps: 51 is out of range"},
    {"TheLatestFailureIsTold", [](RouteRequest& r) { r.features = {"lora"}, r.sampler = "dpm++"; }, "",
     RH_CAPABILITY_UNSUPPORTED,
     "engine 'openblas' has no sampler 'dpm++', expected one of: euler; engines that do: card, reference"},
    {"WhoWasTriedIsTold", [](RouteRequest& r) { r.device = "metal"; }, "", RH_UNSUPPORTED_DEVICE,
     "tried: reference, openblas, card, testcard, wreck"},
    {"ATeachingEngineIsNotChosen", [](RouteRequest& r) { r.architecture.reset(); }, "", RH_INVALID_ARGUMENT,
     "model: none was given"},
    // by name
    {"ByNameAgainstTheScore", [](RouteRequest& r) { r.engine = "reference"; }, "reference", RH_OK, ""},
    {"TeachingByName",
     [](RouteRequest& r) {
       r.engine = "testcard", r.architecture.reset(), r.weight_format.reset(), r.dtypes.clear();
     },
     "testcard", RH_OK, ""},
    {"NotFound", [](RouteRequest& r) { r.engine = "vulkan"; }, "", RH_ENGINE_NOT_FOUND,
     "engine 'vulkan' was not found among: reference, openblas, card, testcard, wreck"},
    {"ABrokenOneSaysWhy", [](RouteRequest& r) { r.engine = "wreck"; }, "", RH_ENGINE_CRASHED, "signal 11"},
    {"NoFallbackForAFeature", [](RouteRequest& r) { r.engine = "reference", r.features = {"lora"}; }, "",
     RH_LORA_UNSUPPORTED_ENGINE, "engine 'reference' takes no LoRA; engines that do: openblas"},
    {"NoFallbackForASampler", [](RouteRequest& r) { r.engine = "openblas", r.sampler = "dpm++"; }, "",
     RH_CAPABILITY_UNSUPPORTED, "engines that do: card, reference"},
    {"NoFallbackForADevice", [](RouteRequest& r) { r.engine = "reference", r.device = "cuda:0"; }, "",
     RH_UNSUPPORTED_DEVICE,
     "device 'cuda:0' is not available with engine 'reference', expected one of: auto, cpu; engines that do: "
     "card"},
    {"NoFallbackForAFormat", [](RouteRequest& r) { r.engine = "card"; }, "", RH_MODEL_NOT_CONVERTED,
     "the model is stored as safetensors, engine 'card' reads gguf"},
};

class RoutingTest : public ::testing::TestWithParam<Case> {};

TEST_P(RoutingTest, DecidesAsTheTableSays) {
  RouteRequest wanted = request();
  GetParam().change(wanted);
  const auto records = yard();
  const Decision decision = route(wanted, records);
  EXPECT_EQ(decision.engine, GetParam().engine);
  ASSERT_EQ(decision.verdicts.size(), records.size());
  EXPECT_EQ(decision.error.has_value(), GetParam().code != RH_OK);
  if (decision.error) {
    EXPECT_EQ(status_name(decision.error->code()), status_name(GetParam().code)) << decision.error->what();
    EXPECT_THAT(decision.error->what(), HasSubstr(GetParam().part));
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(decision.verdicts[i].engine, records[i].id);
    EXPECT_EQ(decision.verdicts[i].chosen, records[i].id == decision.engine);
    EXPECT_FALSE(decision.verdicts[i].reason.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Table, RoutingTest, ::testing::ValuesIn(kCases),
                         [](const auto& line) { return std::string(line.param.name); });

TEST(RoutingVerdictTest, SaysWhyEachOneLost) {
  const Decision decision = route(request(), yard());
  EXPECT_EQ(decision.verdicts[0].reason, "score 10 is below 100 of openblas");
  EXPECT_FALSE(decision.verdicts[0].refusal);
  EXPECT_THAT(decision.verdicts[1].reason, HasSubstr("the highest score, 100"));
  EXPECT_EQ(decision.verdicts[2].refusal->code(), RH_MODEL_NOT_CONVERTED);
  EXPECT_EQ(decision.verdicts[4].refusal->code(), RH_ENGINE_CRASHED);
}

TEST(RoutingVerdictTest, OfEqualScoresTheLowerIdWins) {
  auto records = yard();
  records[0].manifest->score = 100;
  const Decision decision = route(request(), records);
  EXPECT_EQ(decision.engine, "openblas");
  EXPECT_EQ(decision.verdicts[0].reason, "score 100 is equal to that of openblas, whose id is lower");
}

TEST(RoutingVerdictTest, TheReportCountsMoreThanTheManifest) {
  auto records = yard();
  EngineReport report;
  report.id = "openblas";
  report.maturity = "stable";
  report.score = 100;
  report.capabilities = records[1].manifest->capabilities;
  report.capabilities.at("dtype") = {"f32"};
  records[1].state = EngineState::available;
  records[1].report = report;
  EXPECT_EQ(route(request(), records).engine, "reference");
}

TEST(RoutingVerdictTest, WithoutEnginesNothingIsFound) {
  const Decision decision = route(request(), {});
  EXPECT_EQ(decision.error->code(), RH_ENGINE_NOT_FOUND);
  EXPECT_THAT(decision.verdicts, IsEmpty());
  RouteRequest named = request();
  named.engine = "openblas";
  EXPECT_EQ(route(named, {}).error->code(), RH_ENGINE_NOT_FOUND);
}

TEST(RoutingVerdictTest, WithATeachingEngineAloneItSaysHowToGetIt) {
  RouteRequest modelless;
  const Decision decision = route(modelless, {yard()[3]});
  EXPECT_EQ(decision.error->code(), RH_ENGINE_NOT_FOUND);
  EXPECT_THAT(std::string(decision.error->hint()), HasSubstr("--engine"));
}

TEST(RoutingVerdictTest, WithABrokenEngineAloneItsReasonIsTheError) {
  const Decision decision = route(request(), {yard()[4]});
  EXPECT_EQ(decision.error->code(), RH_ENGINE_CRASHED);
}

TEST(RoutingVerdictTest, ADuplicateStandsBehindTheFirstOfItsId) {
  auto records = yard();
  EngineRecord second = records[0];
  second.state = EngineState::duplicate;
  second.error = Error(RH_ENGINE_NOT_FOUND, "engine 'reference' of '/b' is not used: '/a' came first");
  records.insert(records.begin(), second);
  RouteRequest named = request();
  named.engine = "reference";
  const Decision decision = route(named, records);
  EXPECT_EQ(decision.engine, "reference");
  EXPECT_FALSE(decision.verdicts[0].chosen);
  EXPECT_TRUE(decision.verdicts[1].chosen);
}

}  // namespace
}  // namespace roundhouse::host
