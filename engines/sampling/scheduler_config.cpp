// SPDX-License-Identifier: Apache-2.0
// Reading scheduler_config.json, with the defaults of FlowMatchEulerDiscreteScheduler.
#include "engines/sampling/sampler.h"
#include "engines/weights/config.h"

namespace engines {
namespace {

void read_dynamic_shifting(const Config& json, SchedulerConfig& config) {
  config.use_dynamic_shifting = json.boolean_or("use_dynamic_shifting", config.use_dynamic_shifting);
  config.base_shift = json.number_or("base_shift", config.base_shift, -20, 20);
  config.max_shift = json.number_or("max_shift", config.max_shift, -20, 20);
  config.base_image_seq_len = json.number_or("base_image_seq_len", config.base_image_seq_len, 1, 1e9);
  config.max_image_seq_len = json.number_or("max_image_seq_len", config.max_image_seq_len, 1, 1e9);
  if (config.max_image_seq_len <= config.base_image_seq_len)
    json.fail("max_image_seq_len", "expected more than base_image_seq_len");
  config.time_shift_type = json.text_or("time_shift_type", config.time_shift_type);
  if (config.time_shift_type != "exponential" && config.time_shift_type != "linear")
    json.fail("time_shift_type", "'" + config.time_shift_type + "', expected exponential or linear");
}

void read_resampling(const Config& json, SchedulerConfig& config) {
  config.use_karras_sigmas = json.boolean_or("use_karras_sigmas", false);
  config.use_exponential_sigmas = json.boolean_or("use_exponential_sigmas", false);
  config.use_beta_sigmas = json.boolean_or("use_beta_sigmas", false);
  if (config.use_karras_sigmas + config.use_exponential_sigmas + config.use_beta_sigmas > 1)
    json.fail(config.use_karras_sigmas ? "use_karras_sigmas" : "use_exponential_sigmas",
              "expected at most one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas");
}

}  // namespace

SchedulerConfig SchedulerConfig::read(const std::filesystem::path& file, const std::string& shown) {
  const Config json = Config::read(file, shown);
  const std::string kind = json.text("_class_name");
  if (kind != "FlowMatchEulerDiscreteScheduler")
    json.fail("_class_name", "'" + kind + "' is not supported, expected FlowMatchEulerDiscreteScheduler");
  json.only("invert_sigmas", false);

  SchedulerConfig config;
  config.num_train_timesteps =
      static_cast<double>(json.integer_or("num_train_timesteps", 1000, 1, 1'000'000));
  config.shift = json.number_or("shift", config.shift, 1e-3, 1e3);
  config.shift_terminal = json.number_or("shift_terminal", 0, 0, 0.999);
  config.stochastic_sampling = json.boolean_or("stochastic_sampling", false);
  read_dynamic_shifting(json, config);
  read_resampling(json, config);
  return config;
}

}  // namespace engines
