// SPDX-License-Identifier: Apache-2.0
// Forecasts, with a clock that only these tests move.
#include "host/session/pace.h"

#include <gmock/gmock.h>

#include <cmath>

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;

Cost images(std::uint64_t units) {
  return {"image", units};
}

// ---- forecasts ----

class ForecastTest : public ::testing::Test {
 protected:
  StepEvent step(Forecast& forecast, std::uint32_t number, int passed) {
    now_ += milliseconds(passed);
    return forecast.follow({"denoise", number, 4, static_cast<double>(passed), 0}, now_);
  }
  Forecast::Time now_{};
};

TEST_F(ForecastTest, WithoutExperienceTheFirstStepTells) {
  Forecast forecast(1, 4, {});
  forecast.begin(0, now_);
  now_ += milliseconds(500);
  EXPECT_EQ(forecast.follow({"encode", 1, 1, 500, 0}, now_).eta_seconds, std::nullopt);
  EXPECT_DOUBLE_EQ(*step(forecast, 1, 100).eta_seconds, 0.3);
  EXPECT_DOUBLE_EQ(*step(forecast, 2, 100).eta_seconds, 0.2);
  const StepEvent third = step(forecast, 3, 100);
  EXPECT_DOUBLE_EQ(*third.eta_seconds, 0.1);
  EXPECT_DOUBLE_EQ(third.seconds_per_step, 0.1);
  EXPECT_DOUBLE_EQ(third.fraction, 0.75);
  EXPECT_DOUBLE_EQ(*step(forecast, 4, 100).eta_seconds, 0);
  const Pace pace = forecast.end(now_);
  EXPECT_DOUBLE_EQ(*pace.seconds_per_step, 0.1);
  EXPECT_DOUBLE_EQ(pace.other_seconds, 0.5);
}

TEST_F(ForecastTest, ItNeverRisesHoweverSlowStepsBecome) {
  Forecast forecast(2, 4, {0.1, 0.2});
  double last = 1e9;
  double fraction = 0;
  for (std::uint32_t image = 0; image < 2; ++image) {
    forecast.begin(image, now_);
    for (std::uint32_t number = 1; number <= 4; ++number) {
      const StepEvent event = step(forecast, number, static_cast<int>(100 * number * (image + 1)));
      EXPECT_LE(*event.eta_seconds, last);
      EXPECT_GE(event.fraction, fraction);
      last = *event.eta_seconds;
      fraction = event.fraction;
    }
    forecast.end(now_);
  }
  EXPECT_DOUBLE_EQ(fraction, 1);
}

TEST_F(ForecastTest, AnEngineThatCountsWronglyIsNotBelieved) {
  Forecast forecast(1, 4, {});
  forecast.begin(0, now_);
  for (int i = 0; i < 100; ++i) {
    now_ += milliseconds(10);
    const StepEvent event = forecast.follow({"denoise", 4'000'000'000U, 0, std::nan(""), 0}, now_);
    EXPECT_LE(event.fraction, 1);
    EXPECT_GE(event.eta_seconds.value_or(0), 0);
  }
}

TEST(Pace, EstimatesCountUntilAnImageWasMade) {
  PaceTable table;
  EXPECT_EQ(table.pace("m", images(100)).seconds_per_step, std::nullopt);
  Estimate estimate;
  estimate.stages = {
      {"load", 5000, 0, 0}, {"encode", 100, 0, 0}, {"denoise", 800, 0, 0}, {"decode", 300, 0, 0}};
  table.expect("m", images(100), estimate, 8);
  EXPECT_DOUBLE_EQ(*table.pace("m", images(100)).seconds_per_step, 0.1);
  EXPECT_DOUBLE_EQ(table.pace("m", images(100)).other_seconds, 0.4);
  EXPECT_DOUBLE_EQ(*table.pace("m", images(400)).seconds_per_step, 0.4);
  table.note("m", images(100), {0.2, 1});
  EXPECT_DOUBLE_EQ(*table.pace("m", images(100)).seconds_per_step, 0.2);
  table.expect("m", images(100), estimate, 8);
  EXPECT_DOUBLE_EQ(*table.pace("m", images(100)).seconds_per_step, 0.2);
}

}  // namespace
}  // namespace roundhouse::host
