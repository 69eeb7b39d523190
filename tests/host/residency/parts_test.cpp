// SPDX-License-Identifier: Apache-2.0
// Keep-alive as clients write it, figures of models, and forecasts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "host/residency/keep_alive.h"
#include "host/residency/needs.h"
#include "host/residency/pace.h"
#include "host/residency/process_size.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;

// ---- keep_alive ----

TEST(KeepAlive, SecondsAndDurations) {
  EXPECT_EQ(parse_keep_alive("300"), milliseconds(300'000));
  EXPECT_EQ(parse_keep_alive("0"), milliseconds(0));
  EXPECT_EQ(parse_keep_alive("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_keep_alive("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(parse_keep_alive("1.5h"), milliseconds(5'400'000));
  EXPECT_EQ(parse_keep_alive("250ms"), milliseconds(250));
  EXPECT_EQ(parse_keep_alive("0.1"), milliseconds(100));
  EXPECT_EQ(keep_alive_of(0.0001), milliseconds(1)) << "not 0, which would unload";
}

TEST(KeepAlive, NegativeAndBeyondAllTimeIsForEver) {
  for (const char* text : {"-1", "-5m", "-1h30m", "99999999999999999999", "1000000000h"})
    EXPECT_EQ(parse_keep_alive(text), kForever) << text;
  EXPECT_EQ(keep_alive_of(1e300), kForever);
  EXPECT_EQ(parse_keep_alive("-0"), milliseconds(0));
}

TEST(KeepAlive, EverythingElseIsRefusedWithTheFieldAndTheText) {
  for (const char* text :
       {"", "-", "m", "5 m", "5x", "--1", "1h30", "nan", "inf", "1e5", "0x10", "5m ", "+5"}) {
    try {
      parse_keep_alive(text, "field");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      EXPECT_THAT(error.what(), testing::HasSubstr("field: '" + std::string(text) + "' is not a time"));
    }
  }
  EXPECT_THROW(keep_alive_of(std::nan("")), Error);
}

// ---- figures ----

Cost images(std::uint64_t units) {
  return {"image", units};
}

TEST(Needs, FilesOfAModelAreFoundOnceWhateverTheirNames) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("needs-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "vae");
  std::ofstream(folder / "model.gguf") << "1234567";
  std::ofstream(folder / "vae" / "a.safetensors") << "12345";
  std::ofstream(folder / "vae" / "config.json") << "123";
  std::filesystem::create_symlink("a.safetensors", folder / "vae" / "b.safetensors");
  std::filesystem::create_symlink("nowhere", folder / "vae" / "c.safetensors");
  const WeightFiles files = weight_files(folder);
  EXPECT_EQ(files.size(), 2U);
  EXPECT_EQ(bytes_of(files), 12U);
  EXPECT_TRUE(weight_files({}).empty());
  EXPECT_TRUE(weight_files(folder / "nowhere").empty());
  std::filesystem::remove_all(folder);
}

TEST(Needs, OtherSizesAreScaledByWhatExceedsTheWeights) {
  NeedTable table;
  table.expect("m", {{1, 1, 1000}});
  EXPECT_EQ(table.need("m", images(100)).peak, 1000U);
  EXPECT_FALSE(table.need("m", images(100)).asked);
  table.note("m", images(100), 1200, 1300);
  EXPECT_TRUE(table.need("m", images(100)).exact);
  EXPECT_EQ(table.need("m", images(100)).peak, 1300U);
  EXPECT_FALSE(table.need("m", images(400)).exact);
  EXPECT_EQ(table.need("m", images(400)).peak, 1600U);
  EXPECT_EQ(table.need("m", std::nullopt).peak, 1200U);
}

TEST(Needs, AFileIsSharedOnlyByThoseWhoHaveItWhole) {
  const auto files = std::make_shared<const WeightFiles>(WeightFiles{{1, 1, 100}, {1, 2, 50}});
  EXPECT_EQ(total_bytes({{160, files}, {170, files}}), 180U);
  EXPECT_EQ(total_bytes({{160, files}, {120, files}}), 280U) << "the second streams its weights";
  EXPECT_EQ(total_bytes({}), 0U);
}

TEST(Needs, TheKernelCountsThisProcess) {
  const ProcessSize size = process_size(getpid());
  EXPECT_GT(size.resident, 1U << 20);
  EXPECT_LE(size.anonymous, size.resident);
  EXPECT_EQ(process_size(0).resident, 0U);
  EXPECT_GT(available_memory(), 1U << 20);
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

TEST(Pace, EstimatesCountUntilAPictureWasMade) {
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
