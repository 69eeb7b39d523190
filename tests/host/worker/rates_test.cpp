// SPDX-License-Identifier: Apache-2.0
// Measuring engines in workers: what becomes of those that cannot be measured.
#include "host/worker/rates.h"

#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

class RatesTest : public WorkerTest {
 protected:
  static Registry registry_of(std::vector<std::string> defects) {
    std::vector<Candidate> candidates;
    for (const std::string& defect : defects) {
      EngineManifest manifest = bad_manifest(defect);
      manifest.maturity = "stable";
      candidates.push_back({manifest.file, "flag", manifest, std::nullopt, std::nullopt});
    }
    return Registry(std::move(candidates));
  }

  const std::filesystem::path directory_ =
      std::filesystem::path(::testing::TempDir()) / ("rates-" + std::to_string(::getpid()));
  const RateCache cache_{directory_};
  ~RatesTest() override { std::filesystem::remove_all(directory_); }
};

TEST_F(RatesTest, AnEngineThatCannotBeMeasuredHasAProblemAndCanBeUsed) {
  Registry registry = registry_of({"rate_nan", "throw_in_rates", "good"});
  EXPECT_TRUE(measure_rates(registry, cache_, options_));
  for (const EngineRecord& record : registry.records()) {
    EXPECT_EQ(state_name(record.state), "listed") << record.id;
    ASSERT_TRUE(record.rates.has_value()) << record.id;
    EXPECT_TRUE(record.rates->by_weights.empty()) << record.id;
  }
  EXPECT_THAT(registry.records()[0].rates->problem, HasSubstr("ENGINE_BROKEN"));
  EXPECT_THAT(registry.records()[1].rates->problem, HasSubstr("thrown in rates"));
  EXPECT_EQ(registry.records()[2].rates->problem, "") << "it has no rates to tell, which is no problem";
}

TEST_F(RatesTest, OneThatHangsIsGivenUpOnceAndThatIsKept) {
  options_.timeouts.rates = milliseconds(300);
  Registry first = registry_of({"hang_in_rates"});
  EXPECT_TRUE(measure_rates(first, cache_, options_));
  EXPECT_THAT(first.records()[0].rates->problem, HasSubstr("TIMEOUT"));
  Registry second = registry_of({"hang_in_rates"});
  read_rates(second, cache_, options_.threads);
  ASSERT_TRUE(second.records()[0].rates.has_value());
  EXPECT_EQ(*second.records()[0].rates, *first.records()[0].rates);
  EXPECT_FALSE(measure_rates(second, cache_, options_)) << "it is known";
  EXPECT_TRUE(measure_rates(second, cache_, options_, {.engines = {}, .afresh = true}));
}

TEST_F(RatesTest, OneThatDoesNotLoadIsLeftToWhoUsesIt) {
  Registry registry = registry_of({"crash_at_load", "absent_library"});
  measure_rates(registry, cache_, options_);
  for (const EngineRecord& record : registry.records()) {
    EXPECT_FALSE(record.rates.has_value()) << record.id;
    EXPECT_EQ(state_name(record.state), "listed") << record.id;
  }
}

TEST_F(RatesTest, OnlyThoseAskedForAreMeasured) {
  Registry registry = registry_of({"good", "newer_minor"});
  EXPECT_TRUE(measure_rates(registry, cache_, options_, {.engines = {"bad-good"}}));
  EXPECT_TRUE(registry.records()[0].rates.has_value());
  EXPECT_FALSE(registry.records()[1].rates.has_value());
  EXPECT_FALSE(measure_rates(registry, cache_, options_, {.engines = {"nobody"}}));
}

}  // namespace
}  // namespace roundhouse::host
