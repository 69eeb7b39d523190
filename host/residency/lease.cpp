// SPDX-License-Identifier: Apache-2.0
// What is the same for every lender.
#include "host/residency/lease.h"

#include <fmt/format.h>

#include "host/store/model_location.h"

namespace roundhouse::host {
namespace {

void add_options(std::string& key, const std::vector<EngineOption>& options) {
  for (const EngineOption& option : options) {
    key += fmt::format("\x1f{}={}", option.name, option.value.index());
    if (const auto* text = std::get_if<std::string>(&option.value)) key += *text;
    if (const auto* integer = std::get_if<std::int64_t>(&option.value)) key += std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&option.value)) key += std::to_string(*number);
    if (const auto* truth = std::get_if<bool>(&option.value)) key += *truth ? "1" : "0";
  }
  key += '\x1e';
}

}  // namespace

std::string worker_key(const Placement& placement) {
  std::string key =
      fmt::format("{}\x1e{}\x1e{}\x1e{}\x1e", placement.engine, placement.device,
                  (placement.model ? identity_of(*placement.model) : ""), placement.memory_limit_bytes);
  add_options(key, placement.engine_options);
  add_options(key, placement.model_options);
  return key;
}

std::string worker_name(const Placement& placement) {
  return placement.model ? placement.model->name : placement.engine;
}

ClientOptions client_options(const Placement& placement, ClientOptions options) {
  options.device = placement.device;
  options.engine_options = placement.engine_options;
  return options;
}

ModelSource open_job(const Placement& placement) {
  ModelSource job;
  if (placement.model) {
    job.directory = model_directory(*placement.model);
    job.architecture = placement.model->architecture;
  }
  job.memory_limit_bytes = placement.memory_limit_bytes;
  job.options = placement.model_options;
  return job;
}

}  // namespace roundhouse::host
