// SPDX-License-Identifier: Apache-2.0
#include "engines/sampling/solvers.h"

#include "tests/engines/sampling/fixture.h"

namespace engines::testing {
namespace {

// The fixture's linear model: v(x, sigma) = 0.6 x - 0.35 sigma + bias.
std::vector<float> velocity(std::span<const float> x, float sigma, std::span<const float> bias) {
  std::vector<float> v(x.size());
  for (std::size_t j = 0; j < x.size(); ++j)
    v[j] = 0.6F * x[j] - 0.35F * sigma + bias[j];
  return v;
}

// The noise that the reference used, step by step.
NoiseSource noise_of(const Fixture& fixture) {
  return [&fixture, step = 0](std::span<float> out) mutable {
    std::ranges::copy(fixture.floats("noise" + std::to_string(step++)), out.begin());
  };
}

void expect_trajectory(const Fixture& fixture, Sampler& sampler) {
  const std::vector<float> sigmas = fixture.floats("sigmas");
  const std::vector<float> bias = fixture.floats("bias");
  std::vector<float> x = fixture.floats("x_init");
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
    sampler.step(i, velocity(x, sigmas[i], bias), x);
    const std::string name = "step" + std::to_string(i) + ".x";
    expect_near(x, fixture.floats(name), fixture.tolerance(name), name);
  }
}

Schedule schedule_of(const char* sampler, const Fixture& fixture, bool stochastic = false) {
  SchedulerConfig config;
  config.shift = 3;
  config.stochastic_sampling = stochastic;
  return make_schedule(config, sampler, "", fixture.params()["steps"].get<std::int64_t>(), 0);
}

TEST(MakeSampler, RefusesAnUnknownName) {
  TorchGenerator generator(0);
  expect_error(RH_INVALID_ARGUMENT, "sampler: 'heun' is not known", [&] {
    make_sampler("heun", Schedule{{1, 0}, {1000}}, 4, generator);
  });
}

TEST(EulerSampler, FollowsTheReference) {
  const Fixture fixture("schedulers", "euler_n6");
  TorchGenerator generator(0);
  const auto sampler =
      make_sampler("euler", schedule_of("euler", fixture), fixture.floats("x_init").size(), generator);
  expect_trajectory(fixture, *sampler);
}

TEST(StochasticEulerSolver, FollowsTheReference) {
  const Fixture fixture("schedulers", "euler_stochastic_n6");
  StochasticEulerSolver solver(schedule_of("euler", fixture, true).sigmas, fixture.floats("x_init").size(),
                               noise_of(fixture));
  expect_trajectory(fixture, solver);
}

TEST(EulerSampler, DrawsNoiseAtEveryStepWhenTheModelAsksForIt) {
  const Fixture fixture("schedulers", "euler_stochastic_n6");
  TorchGenerator used(7);
  TorchGenerator expected(7);
  const Schedule schedule = schedule_of("euler", fixture, true);
  const auto sampler = make_sampler("euler", schedule, 24, used);
  std::vector<float> x(24, 0.5F);
  const std::vector<float> v(24, 0.25F);
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<float> noise(24);
    expected.randn(noise);
    std::vector<float> wanted(24);
    for (std::size_t j = 0; j < 24; ++j)
      wanted[j] = (1 - schedule.sigmas[i + 1]) * (x[j] - schedule.sigmas[i] * v[j]) +
                  schedule.sigmas[i + 1] * noise[j];
    sampler->step(i, v, x);
    expect_near(x, wanted, 1e-6, "step " + std::to_string(i));
  }
  EXPECT_EQ(used.next_uint32(), expected.next_uint32());
}

TEST(DpmSampler, FollowsTheReference) {
  for (const char* stage : {"dpm_dpmsolverpp_o2_midpoint_n6", "dpm_dpmsolverpp_o2_midpoint_n16"}) {
    SCOPED_TRACE(stage);
    const Fixture fixture("schedulers", stage);
    TorchGenerator generator(0);
    const auto sampler = make_sampler("dpmpp-2m", schedule_of("dpmpp-2m", fixture),
                                      fixture.floats("x_init").size(), generator);
    expect_trajectory(fixture, *sampler);
  }
}

TEST(DpmSolver, FollowsTheReferenceInEveryOrderAndType) {
  for (const char* stage :
       {"dpm_dpmsolverpp_o1_midpoint_n6", "dpm_dpmsolverpp_o2_heun_n6", "dpm_dpmsolverpp_o2_heun_n16",
        "dpm_dpmsolverpp_o3_midpoint_n6", "dpm_sde_dpmsolverpp_o1_midpoint_n6",
        "dpm_sde_dpmsolverpp_o2_midpoint_n6", "dpm_sde_dpmsolverpp_o2_heun_n6",
        "dpm_sde_dpmsolverpp_o2_midpoint_n16", "dpm_sde_dpmsolverpp_o2_heun_n16"}) {
    SCOPED_TRACE(stage);
    const Fixture fixture("schedulers", stage);
    const nlohmann::json params = fixture.params();
    const DpmOptions options{.order = params["solver_order"].get<int>(),
                             .stochastic = params["algorithm_type"] == "sde-dpmsolver++",
                             .heun = params["solver_type"] == "heun"};
    DpmSolver solver(schedule_of("dpmpp-2m", fixture).sigmas, fixture.floats("x_init").size(), options,
                     noise_of(fixture));
    expect_trajectory(fixture, solver);
  }
}

TEST(DpmSampler, TakesItsNoiseFromTheGenerator) {
  const Fixture fixture("schedulers", "dpm_sde_dpmsolverpp_o2_midpoint_n6");
  TorchGenerator used(11);
  TorchGenerator same(11);
  const Schedule schedule = schedule_of("dpmpp-2m-sde", fixture);
  const auto sampler = make_sampler("dpmpp-2m-sde", schedule, 20, used);
  DpmSolver solver(schedule.sigmas, 20, {.stochastic = true},
                   [&same](std::span<float> out) { same.randn(out); });
  std::vector<float> x(20, 0.5F);
  std::vector<float> y = x;
  const std::vector<float> v(20, 0.25F);
  for (std::size_t i = 0; i < 6; ++i) {
    sampler->step(i, v, x);
    solver.step(i, v, y);
  }
  EXPECT_EQ(x, y);
  EXPECT_EQ(used.next_uint32(), same.next_uint32());
}

TEST(DpmSampler, ForgetsAnEarlierRunWhenItStartsAgain) {
  const Fixture fixture("schedulers", "dpm_dpmsolverpp_o2_midpoint_n6");
  DpmSolver solver(fixture.floats("sigmas"), fixture.floats("x_init").size(), {}, {});
  expect_trajectory(fixture, solver);
  expect_trajectory(fixture, solver);
}

// x0 is constant when v = (x - x0) / sigma: then every solver must end there, from any number of steps and
// from any start.
TEST(EverySampler, EndsAtTheDataOfAPerfectModel) {
  for (const std::string& name : sampler_names()) {
    for (const std::size_t steps : {1U, 2U, 3U, 20U, 1000U}) {
      for (const std::size_t start : {std::size_t{0}, steps / 2}) {
        SchedulerConfig config;
        config.shift = 3;
        const Schedule schedule = make_schedule(config, name, "", static_cast<std::int64_t>(steps), 0);
        TorchGenerator generator(3);
        const auto sampler = make_sampler(name, schedule, 17, generator);
        std::vector<float> x(17);
        generator.randn(x);
        const std::vector<float> data(17, 0.75F);
        for (std::size_t i = start; i < steps; ++i) {
          std::vector<float> v(17);
          for (std::size_t j = 0; j < 17; ++j)
            v[j] = (x[j] - data[j]) / schedule.sigmas[i];
          sampler->step(i, v, x);
        }
        expect_near(x, data, 1e-5, name + " " + std::to_string(steps));
      }
    }
  }
}

}  // namespace
}  // namespace engines::testing
