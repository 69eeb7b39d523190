// SPDX-License-Identifier: Apache-2.0
// Routing as tables: a request against a fixed yard of engines, and who is chosen or what is refused.
#include "host/routing/routing.h"

#include <gmock/gmock.h>

#include <cmath>

#include "roundhouse/base.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

EngineRecord engine(const std::string& id, std::int32_t score, const std::string& maturity,
                    const Capabilities& capabilities) {
  EngineManifest manifest;
  manifest.id = id;
  manifest.maturity = maturity;
  manifest.score = score;
  manifest.capabilities = capabilities;
  manifest.limits = {{"width", {16, 2048, 16}}, {"height", {16, 2048, 16}}, {"steps", {1, 50, 0}}};
  EngineRecord record;
  record.id = id;
  record.manifest = manifest;
  return record;
}

// A slow one that reads all, a fast one that knows less, one on a card, one to learn from, a broken one.
std::vector<EngineRecord> yard() {
  const Capabilities slow = {{"task", {"text-to-image"}},
                             {"architecture", {"ZImagePipeline"}},
                             {"weight-format", {"safetensors"}},
                             {"dtype", {"f32", "f16", "bf16"}},
                             {"feature", {"negative-prompt", "guidance"}},
                             {"sampler", {"euler", "dpm++"}},
                             {"schedule", {"flow", "dpm-flow"}},
                             {"schedule.euler", {"flow"}},
                             {"schedule.dpm++", {"dpm-flow"}},
                             {"convert", {"f32", "q8_0"}},
                             {"device", {"cpu"}}};
  Capabilities fast = slow;
  fast["feature"] = {"negative-prompt", "guidance", "lora"};
  fast["sampler"] = {"euler"};
  fast["dtype"] = {"f32", "bf16"};
  fast.erase("convert");
  Capabilities card = slow;
  card["device"] = {"cuda:0"};
  card["weight-format"] = {"gguf"};
  card["dtype"] = {"q8_0"};
  card.erase("convert");
  const Capabilities teaching = {
      {"task", {"text-to-image"}}, {"feature", {"modelless"}}, {"device", {"cpu"}}};
  EngineRecord broken = engine("wreck", 1000, "stable", slow);
  broken.state = EngineState::unusable;
  broken.error = Error(RH_ENGINE_CRASHED, "engine 'wreck' died of signal 11 (SIGSEGV) in probe");
  return {engine("reference", 10, "stable", slow), engine("openblas", 100, "stable", fast),
          engine("card", 200, "stable", card), engine("testcard", 0, "teaching", teaching), broken};
}

RouteRequest request() {
  RouteRequest result;
  result.architecture = "ZImagePipeline";
  result.weight_format = "safetensors";
  result.dtypes = {"bf16"};
  result.quantities = {{"width", 1024}, {"height", 768}, {"steps", 8}};
  return result;
}

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

// ---- rates ----

class RoutingByRateTest : public ::testing::Test {
 protected:
  RoutingByRateTest() {
    request_.weight_type = "bf16";
    rate("reference", {{"bf16", 2e9}, {"q8_0", 1e9}});
    rate("openblas", {{"bf16", 200e9}, {"q8_0", 190e9}});
  }

  EngineRecord& record(const std::string& id) {
    return *std::ranges::find(records_, id, &EngineRecord::id);
  }
  void rate(const std::string& id, std::map<std::string, double> rates) {
    record(id).rates = EngineRates{std::move(rates), ""};
  }
  void add(const std::string& id, std::int32_t score) {
    EngineRecord added = record("reference");
    added.id = id;
    added.manifest->score = score;
    added.rates.reset();
    records_.push_back(added);
  }
  Decision decide() const { return route(request_, records_); }
  std::string reason(const std::string& id) const {
    for (const Verdict& verdict : decide().verdicts) {
      if (verdict.engine == id) return verdict.reason;
    }
    return "";
  }

  std::vector<EngineRecord> records_ = yard();
  RouteRequest request_ = request();
};

TEST_F(RoutingByRateTest, TheFasterGoesBeforeTheHigherScore) {
  rate("reference", {{"bf16", 300e9}});
  EXPECT_EQ(decide().engine, "reference");
  EXPECT_EQ(reason("reference"), "the fastest here: 300 GFLOP/s with bf16 weights");
  EXPECT_EQ(reason("openblas"), "200 GFLOP/s with bf16 weights is below 300 GFLOP/s of reference");
}

TEST_F(RoutingByRateTest, EachTypeOfWeightsHasItsOwn) {
  rate("reference", {{"bf16", 300e9}, {"q8_0", 10e9}});
  request_.weight_type = "q8_0";
  EXPECT_EQ(decide().engine, "openblas");
  EXPECT_THAT(reason("reference"), HasSubstr("10 GFLOP/s with q8_0 weights"));
  request_.weight_type = "f32";
  EXPECT_EQ(decide().engine, "openblas") << "nobody was measured: the score";
  EXPECT_EQ(reason("reference"), "score 10 is below 100 of openblas");
  request_.weight_type.reset();
  EXPECT_EQ(reason("openblas"), "the highest score, 100, of those that can do it");
}

TEST_F(RoutingByRateTest, WithinTheMarginTheScoreDecides) {
  rate("reference", {{"bf16", 209e9}});
  EXPECT_EQ(decide().engine, "openblas");
  EXPECT_EQ(reason("openblas"),
            "200 GFLOP/s with bf16 weights, as fast as the fastest (209 GFLOP/s) within 5 %, and of the higher "
            "score, 100");
  EXPECT_EQ(reason("reference"),
            "209 GFLOP/s with bf16 weights is no more than 5 % from the 200 GFLOP/s of openblas; score 10 is "
            "below 100 of openblas");
  rate("reference", {{"bf16", 212e9}});
  EXPECT_EQ(decide().engine, "reference");
}

TEST_F(RoutingByRateTest, AnUnmeasuredEngineNeedsAScoreAboveAllMeasuredOnes) {
  add("stranger", 100);
  EXPECT_EQ(decide().engine, "openblas");
  EXPECT_EQ(reason("stranger"), "score 100 is not above those of the measured engines");
  record("stranger").manifest->score = 101;
  EXPECT_EQ(decide().engine, "stranger");
  EXPECT_EQ(reason("openblas"), "200 GFLOP/s with bf16 weights; score 100 is below 101 of stranger");
  record("stranger").rates = EngineRates{{}, "TIMEOUT: it hung"};
  EXPECT_EQ(decide().engine, "stranger") << "as without";
}

TEST_F(RoutingByRateTest, RatesAreOfTheProcessor) {
  add("hybrid", 50);
  record("hybrid").manifest->capabilities["device"] = {"cpu", "cuda:0"};
  rate("hybrid", {{"bf16", 900e9}});
  EXPECT_EQ(decide().engine, "openblas") << "it would run on its card, whose rate nobody knows";
  request_.device = "cpu";
  EXPECT_EQ(decide().engine, "hybrid");
}

TEST_F(RoutingByRateTest, WhoIsNamedOrCannotIsNotCompared) {
  rate("reference", {{"bf16", 300e9}});
  request_.engine = "openblas";
  EXPECT_EQ(decide().engine, "openblas");
  request_.engine.reset();
  request_.features = {"lora"};
  EXPECT_EQ(decide().engine, "openblas");
}

TEST_F(RoutingByRateTest, RivalsAreThoseAmongWhomThereIsAChoice) {
  EXPECT_THAT(rivals(request_, records_), ::testing::ElementsAre("reference", "openblas"));
  RouteRequest only = request_;
  only.features = {"lora"};
  EXPECT_THAT(rivals(only, records_), IsEmpty());
  RouteRequest named = request_;
  named.engine = "openblas";
  EXPECT_THAT(rivals(named, records_), IsEmpty());
  RouteRequest unknown = request_;
  unknown.weight_type.reset();
  EXPECT_THAT(rivals(unknown, records_), IsEmpty());
}

}  // namespace
}  // namespace roundhouse::host
