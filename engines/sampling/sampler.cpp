// SPDX-License-Identifier: Apache-2.0
// From the names of a request to a schedule and a solver.
#include "engines/sampling/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engines/sampling/levels.h"
#include "engines/sampling/solvers.h"
#include "engines/tensor/error.h"

namespace engines {
namespace {

constexpr std::int64_t kMaxSteps = 10000;

std::unique_ptr<Sampler> make_euler(const Schedule& schedule, std::size_t size, NoiseSource noise) {
  if (!schedule.stochastic) return std::make_unique<EulerSolver>(schedule.sigmas);
  return std::make_unique<StochasticEulerSolver>(schedule.sigmas, size, std::move(noise));
}

std::unique_ptr<Sampler> make_dpmpp_2m(const Schedule& schedule, std::size_t size, NoiseSource noise) {
  return std::make_unique<DpmSolver>(schedule.sigmas, size, DpmOptions{}, std::move(noise));
}

std::unique_ptr<Sampler> make_dpmpp_2m_sde(const Schedule& schedule, std::size_t size, NoiseSource noise) {
  return std::make_unique<DpmSolver>(schedule.sigmas, size, DpmOptions{.stochastic = true}, std::move(noise));
}

struct SamplerRule {
  std::string_view name;
  std::vector<std::string> schedules;  // what the reference can be asked for; the first is the default
  bool follows_config;                 // takes the re-sampling that the model's config switches on
  std::unique_ptr<Sampler> (*make)(const Schedule& schedule, std::size_t size, NoiseSource noise);
};

const std::vector<SamplerRule>& sampler_rules() {
  static const std::vector<SamplerRule> rules = {
      {"euler",
       {"flow", "flow-double-shift", "karras", "exponential", "beta", "flow-legacy"},
       true,
       make_euler},
      {"dpmpp-2m", {"dpm-flow"}, false, make_dpmpp_2m},
      {"dpmpp-2m-sde", {"dpm-flow"}, false, make_dpmpp_2m_sde},
  };
  return rules;
}

template <class Rules>
std::vector<std::string> names_of(const Rules& rules) {
  std::vector<std::string> names;
  for (const auto& rule : rules)
    names.emplace_back(rule.name);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

template <class Rules>
const auto& find_rule(const Rules& rules, std::string_view what, std::string_view name) {
  const auto found = std::ranges::find_if(rules, [name](const auto& rule) { return rule.name == name; });
  if (found == rules.end())
    throw Error(RH_INVALID_ARGUMENT, std::string(what) + ": '" + std::string(name) +
                                         "' is not known, expected one of: " + joined(names_of(rules)));
  return *found;
}

std::string_view default_schedule(const SchedulerConfig& config, const SamplerRule& sampler) {
  if (sampler.follows_config) {
    if (config.use_karras_sigmas) return "karras";
    if (config.use_exponential_sigmas) return "exponential";
    if (config.use_beta_sigmas) return "beta";
  }
  return sampler.schedules.front();
}

}  // namespace

std::vector<std::string> sampler_names() {
  return names_of(sampler_rules());
}

std::vector<std::string> schedule_names() {
  return names_of(level_rules());
}

std::vector<std::string> schedule_names(std::string_view sampler) {
  return find_rule(sampler_rules(), "sampler", sampler).schedules;
}

Schedule make_schedule(const SchedulerConfig& config, std::string_view sampler, std::string_view schedule,
                       std::int64_t steps, std::int64_t image_tokens) {
  const SamplerRule& solver = find_rule(sampler_rules(), "sampler", sampler);
  const std::string_view name = schedule.empty() ? default_schedule(config, solver) : schedule;
  const LevelRule& rule = find_rule(level_rules(), "schedule", name);
  if (std::ranges::find(solver.schedules, name) == solver.schedules.end())
    throw Error(RH_CAPABILITY_UNSUPPORTED, "schedule: sampler '" + std::string(sampler) +
                                               "' cannot follow '" + std::string(name) +
                                               "', expected one of: " + joined(solver.schedules));
  if (steps < 1 || steps > kMaxSteps)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("steps: {} is out of range, expected 1 to {}", steps, kMaxSteps));

  Schedule out;
  out.stochastic = config.stochastic_sampling;
  for (const double level : rule.levels(config, steps, image_tokens)) {
    const auto sigma = static_cast<float>(level);
    out.sigmas.push_back(sigma);
    out.timesteps.push_back(rule.integer_timesteps
                                ? static_cast<float>(std::trunc(level * config.num_train_timesteps))
                                : sigma * static_cast<float>(config.num_train_timesteps));
  }
  out.sigmas.push_back(0);
  return out;
}

std::unique_ptr<Sampler> make_sampler(std::string_view name, const Schedule& schedule, std::size_t size,
                                      TorchGenerator& generator) {
  return find_rule(sampler_rules(), "sampler", name).make(schedule, size, [&generator](std::span<float> out) {
    generator.randn(out);
  });
}

}  // namespace engines
