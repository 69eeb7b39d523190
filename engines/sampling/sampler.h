// SPDX-License-Identifier: Apache-2.0
// Schedules and solvers for flow-matching models: which noise levels are visited, and how a prediction moves
// the latents.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/sampling/random.h"

namespace engines {

// scheduler/scheduler_config.json of a FlowMatchEulerDiscreteScheduler. Another class, a value out of range
// and an unsupported field are MODEL_INVALID by name.
struct SchedulerConfig {
  double num_train_timesteps = 1000;
  double shift = 1;
  bool use_dynamic_shifting = false;
  double base_shift = 0.5, max_shift = 1.15;
  double base_image_seq_len = 256, max_image_seq_len = 4096;
  std::string time_shift_type = "exponential";
  double shift_terminal = 0;                                                                // 0 = none
  bool use_karras_sigmas = false, use_exponential_sigmas = false, use_beta_sigmas = false;  // at most one
  bool stochastic_sampling = false;

  static SchedulerConfig read(const std::filesystem::path& file, const std::string& shown);
};

// What one run visits: sigmas has steps + 1 entries and ends at 0; timesteps has `steps` entries, what the
// model is told (num_train_timesteps * sigma, truncated to an integer for the dpmpp samplers).
struct Schedule {
  std::vector<float> sigmas;
  std::vector<float> timesteps;
  bool stochastic = false;  // the model's config asks "euler" to draw new noise at every step
};

// Names that requests use, defaults first.
// Samplers: "euler", "dpmpp-2m", "dpmpp-2m-sde".
std::vector<std::string> sampler_names();
// Schedules: "flow" (shift(1 - k/n), what today's pipeline uses), "flow-double-shift" (what the stock
// scheduler gives without explicit sigmas), "flow-legacy" (ends in an empty step, as pipelines before May
// 2026), "karras", "exponential", "beta" (flow, re-sampled between its ends), "dpm-flow" (the dpmpp samplers'
// own).
std::vector<std::string> schedule_names();
// The schedules that a sampler can follow, its own default first. An unknown sampler is INVALID_ARGUMENT.
std::vector<std::string> schedule_names(std::string_view sampler);

// The noise levels of `steps` steps (1 to 10000). An empty schedule name is what the sampler and the model's
// config ask for. image_tokens = (H/16)*(W/16): used by dynamic shifting. Unknown names are INVALID_ARGUMENT
// naming what is expected; a combination that the reference cannot do is CAPABILITY_UNSUPPORTED.
Schedule make_schedule(const SchedulerConfig& config, std::string_view sampler, std::string_view schedule,
                       std::int64_t steps, std::int64_t image_tokens);

// Steps latents x from sigma[i] to sigma[i+1] given the velocity v predicted at (x, sigma[i]), float32 in
// place. Keeps what multistep solvers need between steps; allocates nothing after construction. Steps are
// taken in order; starting later than 0 is fine, and starting again forgets what was kept.
class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual void step(std::size_t i, std::span<const float> v, std::span<float> x) = 0;
};

// `size` is the number of latents; `generator` gives the noise of stochastic samplers (the one that drew the
// initial noise, used after it); it must outlive the sampler. Unknown names are INVALID_ARGUMENT.
std::unique_ptr<Sampler> make_sampler(std::string_view name, const Schedule& schedule, std::size_t size,
                                      TorchGenerator& generator);

}  // namespace engines
