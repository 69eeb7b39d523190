// SPDX-License-Identifier: Apache-2.0
// Routing by measured rates, and how scores stand beside them.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "tests/host/routing/yard.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RoutingByRateTest : public ::testing::Test {
 protected:
  RoutingByRateTest() {
    request_.weight_type = "bf16";
    rate("reference", {{"bf16", 2e9}, {"q8_0", 1e9}});
    rate("openblas", {{"bf16", 200e9}, {"q8_0", 190e9}});
  }

  EngineRecord& record(const std::string& id) { return *std::ranges::find(records_, id, &EngineRecord::id); }
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
  EXPECT_EQ(
      reason("openblas"),
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
