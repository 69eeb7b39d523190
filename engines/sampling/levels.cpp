// SPDX-License-Identifier: Apache-2.0
// After diffusers' FlowMatchEulerDiscreteScheduler.set_timesteps and, for "dpm-flow",
// DPMSolverMultistepScheduler.set_timesteps with use_flow_sigmas. Levels are computed in double and rounded
// once.
#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <span>

#include "engines/sampling/levels.h"
#include "engines/tensor/error.h"

namespace engines {
namespace {

// n values from `first` to `last`, as numpy computes them: one value is `first`.
Levels linspace(double first, double last, std::int64_t n) {
  Levels out(static_cast<std::size_t>(n));
  const double step = n > 1 ? (last - first) / static_cast<double>(n - 1) : 0;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = first + static_cast<double>(i) * step;
  if (n > 1) out.back() = last;
  return out;
}

// One formula for the three kinds of shifting: static (a = shift), exponential (a = e^mu) and linear
// (a = mu), as a/(a + 1/s - 1) = a s/(1 + (a - 1) s).
double shifted(double a, double sigma) {
  return a * sigma / (1 + (a - 1) * sigma);
}

double shift_factor(const SchedulerConfig& config, std::int64_t image_tokens) {
  if (!config.use_dynamic_shifting) return config.shift;
  const double slope =
      (config.max_shift - config.base_shift) / (config.max_image_seq_len - config.base_image_seq_len);
  const double mu =
      config.base_shift + slope * (static_cast<double>(image_tokens) - config.base_image_seq_len);
  const double a = config.time_shift_type == "linear" ? mu : std::exp(mu);
  if (!(a > 0) || !std::isfinite(a))
    throw Error(
        RH_MODEL_INVALID,
        fmt::format(
            "scheduler: dynamic shifting gives a shift of {} at {} image tokens, expected a positive number",
            a, image_tokens));
  return a;
}

// Stretches so that the last level is config.shift_terminal. A single level of 1 has nothing to stretch.
void stretch_to_terminal(Levels& levels, double terminal) {
  if (terminal == 0 || levels.back() >= 1) return;
  const double scale = (1 - terminal) / (1 - levels.back());
  for (double& s : levels)
    s = 1 - (1 - s) * scale;
}

Levels shift_all(Levels levels, const SchedulerConfig& config, std::int64_t image_tokens) {
  const double a = shift_factor(config, image_tokens);
  for (double& s : levels)
    s = shifted(a, s);
  stretch_to_terminal(levels, config.shift_terminal);
  return levels;
}

Levels flow(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  return shift_all(linspace(1, 1 / static_cast<double>(steps), steps), config, image_tokens);
}

// The stock scheduler shifts its own extremes by the static shift, and what lies between them once more.
double smallest_level(const SchedulerConfig& config) {
  const double s = 1 / config.num_train_timesteps;
  return config.use_dynamic_shifting ? s : shifted(config.shift, s);
}

Levels flow_double_shift(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  return shift_all(linspace(1, smallest_level(config), steps), config, image_tokens);
}

Levels flow_legacy(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  return shift_all(linspace(1, 0, steps), config, image_tokens);
}

// Karras et al. 2022, eq. 5, rho = 7.
Levels karras(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  constexpr double rho = 7;
  const Levels ends = flow(config, steps, image_tokens);
  Levels levels = linspace(std::pow(ends.front(), 1 / rho), std::pow(ends.back(), 1 / rho), steps);
  for (double& s : levels)
    s = std::pow(s, rho);
  return levels;
}

Levels exponential(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  const Levels ends = flow(config, steps, image_tokens);
  Levels levels = linspace(std::log(ends.front()), std::log(ends.back()), steps);
  for (double& s : levels)
    s = std::exp(s);
  return levels;
}

// "Beta Sampling is All You Need" (2407.12173): quantiles of Beta(0.6, 0.6).
Levels beta(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  constexpr double alpha = 0.6;
  const Levels ends = flow(config, steps, image_tokens);
  Levels levels = linspace(1, 0, steps);
  for (double& s : levels)
    s = ends.back() + boost::math::ibeta_inv(alpha, alpha, s) * (ends.front() - ends.back());
  return levels;
}

// The solver's own levels: they leave out 1, where its logarithms end.
Levels dpm_flow(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens) {
  const double a = shift_factor(config, image_tokens);
  Levels levels = linspace(1, 1 / config.num_train_timesteps, steps + 1);
  for (double& alpha : levels)
    alpha = shifted(a, 1.0 - alpha);
  std::reverse(levels.begin(), levels.end());
  levels.pop_back();
  return levels;
}

constexpr LevelRule kRules[] = {
    {"flow", flow, false},        {"flow-double-shift", flow_double_shift, false},
    {"karras", karras, false},    {"exponential", exponential, false},
    {"beta", beta, false},        {"flow-legacy", flow_legacy, false},
    {"dpm-flow", dpm_flow, true},
};

}  // namespace

std::span<const LevelRule> level_rules() {
  return kRules;
}

}  // namespace engines
