// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "engines/sampling/sampler.h"
#include "tests/engines/sampling/fixture.h"

namespace engines::testing {
namespace {

// The reference rounds a handful of float32 operations on numbers up to 1, we round once.
constexpr double kRounding = 8 * std::numeric_limits<float>::epsilon();

SchedulerConfig with_shift(double shift) {
  SchedulerConfig config;
  config.shift = shift;
  return config;
}

struct Case {
  SchedulerConfig config;
  std::string schedule = "flow";
  std::int64_t image_tokens = 0;
};

// From a name in the fixture, such as euler_shift3.0_karras or dynamic_exp_seq1024.
Case parse(const std::string& name) {
  if (name.starts_with("dynamic_")) {
    Case out;
    out.image_tokens = std::stoll(name.substr(name.find("seq") + 3));
    out.config.use_dynamic_shifting = true;
    out.config.time_shift_type = name.starts_with("dynamic_lin") ? "linear" : "exponential";
    return out;
  }
  const std::string digits = name.substr(std::string("euler_shift").size());
  Case out;
  out.config.shift = std::stod(digits);
  const std::string variant =
      digits.find('_') == std::string::npos ? "" : digits.substr(digits.find('_') + 1);
  if (variant == "default_sigmas") out.schedule = "flow-double-shift";
  if (variant == "legacy_sigma_min0") out.schedule = "flow-legacy";
  if (variant == "terminal0.02") out.config.shift_terminal = 0.02;
  if (variant == "karras" || variant == "exponential" || variant == "beta") out.schedule = variant;
  return out;
}

TEST(MakeSchedule, RefusesUnknownNamesAndSaysWhatIsExpected) {
  expect_error(RH_INVALID_ARGUMENT, "sampler: 'ddim' is not known, expected one of: euler, dpmpp-2m, ",
               [] { make_schedule({}, "ddim", "", 8, 0); });
  expect_error(RH_INVALID_ARGUMENT, "schedule: 'cosine' is not known, expected one of: flow, ",
               [] { make_schedule({}, "euler", "cosine", 8, 0); });
  expect_error(RH_INVALID_ARGUMENT, "sampler: ''", [] { schedule_names(""); });
}

TEST(MakeSchedule, RefusesWhatTheReferenceCannotCombine) {
  expect_error(RH_CAPABILITY_UNSUPPORTED, "sampler 'dpmpp-2m' cannot follow 'karras'",
               [] { make_schedule({}, "dpmpp-2m", "karras", 8, 0); });
  expect_error(RH_CAPABILITY_UNSUPPORTED, "sampler 'euler' cannot follow 'dpm-flow'",
               [] { make_schedule({}, "euler", "dpm-flow", 8, 0); });
}

TEST(MakeSchedule, RefusesStepsOutOfRange) {
  for (const std::int64_t steps :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()})
    expect_error(RH_INVALID_ARGUMENT, "steps: " + std::to_string(steps),
                 [&] { make_schedule({}, "euler", "", steps, 0); });
}

TEST(MakeSchedule, RefusesDynamicShiftingThatGivesNoPositiveShift) {
  SchedulerConfig config;
  config.use_dynamic_shifting = true;
  config.time_shift_type = "linear";
  config.base_shift = -1;
  expect_error(RH_MODEL_INVALID, "dynamic shifting", [&] { make_schedule(config, "euler", "", 8, 256); });
  config.time_shift_type = "exponential";
  config.max_shift = 20;
  expect_error(RH_MODEL_INVALID, "dynamic shifting",
               [&] { make_schedule(config, "euler", "", 8, std::int64_t{1} << 31); });
}

// Requirement X-03: both schedules exist, under distinct names.
TEST(MakeSchedule, KnowsTheStockSchedulersEightSteps) {
  const std::vector<float> expected = {1.0F,        0.94754255F, 0.88278776F, 0.80083734F, 0.69379312F,
                                       0.54804558F, 0.33797216F, 0.00892857F, 0.0F};
  expect_near(make_schedule(with_shift(3), "euler", "flow-double-shift", 8, 0).sigmas, expected, 1e-5,
              "flow-double-shift");
}

TEST(MakeSchedule, ShiftsOneMinusKOverNUnlessToldOtherwise) {
  const std::vector<float> expected = {1.0F,        0.95454545F, 0.9F, 0.83333333F, 0.75F,
                                       0.64285714F, 0.5F,        0.3F, 0.0F};
  const Schedule schedule = make_schedule(with_shift(3), "euler", "", 8, 0);
  expect_near(schedule.sigmas, expected, kRounding, "flow");
  EXPECT_EQ(schedule.timesteps.size(), 8U);
  EXPECT_EQ(schedule.timesteps.front(), 1000.0F);
  EXPECT_FALSE(schedule.stochastic);
}

TEST(MakeSchedule, GivesEveryScheduleOfTheFixture) {
  const Fixture fixture("schedulers", "schedules");
  int compared = 0;
  for (const std::string& name : fixture.file().names()) {
    const auto at = name.rfind(".sigmas");
    if (at == std::string::npos) continue;
    const std::string stem = name.substr(0, at);
    const auto n = stem.rfind(".n");
    const Case c = parse(stem.substr(0, n));
    const Schedule schedule =
        make_schedule(c.config, "euler", c.schedule, std::stoll(stem.substr(n + 2)), c.image_tokens);
    expect_near(schedule.sigmas, fixture.floats(name), kRounding, name);
    expect_near(schedule.timesteps, fixture.floats(stem + ".timesteps"), 1000 * kRounding, stem);
    ++compared;
  }
  EXPECT_EQ(compared, 80);
}

TEST(MakeSchedule, GivesTheSolversOwnLevelsWithWholeTimesteps) {
  for (const int n : {6, 16}) {
    const Fixture fixture("schedulers", "dpm_dpmsolverpp_o2_midpoint_n" + std::to_string(n));
    for (const char* sampler : {"dpmpp-2m", "dpmpp-2m-sde"}) {
      const Schedule schedule = make_schedule(with_shift(3), sampler, "", n, 0);
      expect_near(schedule.sigmas, fixture.floats("sigmas"), kRounding, sampler);
      const auto whole = fixture.values<std::int32_t>("timesteps");
      EXPECT_EQ(schedule.timesteps, std::vector<float>(whole.begin(), whole.end()));
    }
  }
}

TEST(MakeSchedule, FollowsTheResamplingOfTheModelsConfigUnlessOneIsNamed) {
  SchedulerConfig config = with_shift(3);
  config.use_karras_sigmas = true;
  const auto sigmas = [&](const char* sampler, const char* schedule) {
    return make_schedule(config, sampler, schedule, 8, 0).sigmas;
  };
  EXPECT_EQ(sigmas("euler", ""), sigmas("euler", "karras"));
  EXPECT_NE(sigmas("euler", ""), sigmas("euler", "flow"));
  EXPECT_EQ(sigmas("dpmpp-2m", ""), sigmas("dpmpp-2m", "dpm-flow"));
}

TEST(MakeSchedule, FallsFromOneStepToAThousandForEveryPair) {
  SchedulerConfig config = with_shift(3);
  config.shift_terminal = 0.02;
  for (const std::string& sampler : sampler_names()) {
    for (const std::string& schedule : schedule_names(sampler)) {
      for (const std::int64_t steps : {1, 2, 1000}) {
        const Schedule out = make_schedule(config, sampler, schedule, steps, 4096);
        const std::string what = sampler + " " + schedule + " " + std::to_string(steps);
        ASSERT_EQ(out.sigmas.size(), static_cast<std::size_t>(steps) + 1) << what;
        ASSERT_EQ(out.timesteps.size(), static_cast<std::size_t>(steps)) << what;
        EXPECT_EQ(out.sigmas.back(), 0.0F) << what;
        EXPECT_GT(out.sigmas.front(), 0.99F) << what;
        EXPECT_LE(out.sigmas.front(), 1.0F) << what;
        for (std::size_t i = 0; i < out.timesteps.size(); ++i)
          EXPECT_GT(out.sigmas[i], out.sigmas[i + 1]) << what << " at " << i;
      }
    }
  }
}

TEST(ScheduleNames, OfASamplerBeginWithItsDefaultAndAreAllKnown) {
  const std::vector<std::string> all = schedule_names();
  EXPECT_EQ(all.front(), "flow");
  for (const std::string& sampler : sampler_names()) {
    const std::vector<std::string> possible = schedule_names(sampler);
    EXPECT_THAT(all, ::testing::IsSupersetOf(possible));
    EXPECT_EQ(make_schedule({}, sampler, "", 4, 0).sigmas,
              make_schedule({}, sampler, possible.front(), 4, 0).sigmas);
  }
}

}  // namespace
}  // namespace engines::testing
