// SPDX-License-Identifier: Apache-2.0
// Jobs and fallbacks of a plan.
#include "host/session/plan_use.h"

#include <utility>

#include "host/session/device.h"

namespace roundhouse::host {

const EngineRecord& planned_engine(const GeneratePlan& plan, const Registry& registry) {
  const EngineRecord* record = registry.find(plan.engine);
  if (record == nullptr || !record->manifest) {
    throw Error(RH_INTERNAL, "engine '" + plan.engine + "' is not in the registry");
  }
  return *record;
}

ClientOptions client_options(const GeneratePlan& plan, ClientOptions options) {
  options.device = plan.device;
  options.engine_options = plan.engine_options;
  return options;
}

ModelSource open_job(const GeneratePlan& plan) {
  return {plan.model_directory, plan.architecture, plan.memory_limit_bytes, plan.model_options};
}

ImageTask image_job(const GeneratePlan& plan, std::uint32_t image) {
  ImageTask job = plan.job;
  job.seed = (plan.job.seed + image) & INT64_MAX;
  return job;
}

std::optional<Error> planned_refusal(const GeneratePlan& plan, const Registry& registry) {
  RouteRequest named = plan.route;
  named.engine = plan.engine;
  return route(named, registry.records()).error;
}

void take_next_engine(GeneratePlan& plan, const Registry& registry, const Error& failure) {
  const bool automatic = !plan.route.engine || *plan.route.engine == "auto";
  if (!automatic) throw failure;
  plan.decision = route(plan.route, registry.records());
  if (plan.decision.error) throw failure;
  const std::string failed = std::exchange(plan.engine, plan.decision.engine);
  plan.device = device_for(plan.route.device, planned_engine(plan, registry));
  plan.notes.push_back("engine '" + failed + "' cannot be used (" + failure.what() + "); engine '" +
                       plan.engine + "' takes its place");
}

}  // namespace roundhouse::host
