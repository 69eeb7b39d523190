// SPDX-License-Identifier: Apache-2.0
// Jobs of a plan.
#include "host/session/plan_use.h"

#include "host/store/model_location.h"

namespace roundhouse::host {

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

ImageTask image_job(const GeneratePlan& plan, std::uint32_t image) {
  ImageTask job = plan.job;
  job.seed = (plan.job.seed + image) & INT64_MAX;
  return job;
}

}  // namespace roundhouse::host
