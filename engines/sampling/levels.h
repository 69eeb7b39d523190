// SPDX-License-Identifier: Apache-2.0
// The noise levels of each schedule.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engines/sampling/sampler.h"

namespace engines {

// Sigmas without the final 0, falling, in double.
using Levels = std::vector<double>;

struct LevelRule {
  std::string_view name;
  // `steps` levels, steps >= 1. MODEL_INVALID when the config's dynamic shifting gives no positive shift.
  Levels (*levels)(const SchedulerConfig& config, std::int64_t steps, std::int64_t image_tokens);
  bool integer_timesteps;
};

// Every schedule by name, the default first.
std::span<const LevelRule> level_rules();

}  // namespace engines
