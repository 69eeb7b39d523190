// SPDX-License-Identifier: Apache-2.0
#include "host/session/inspection.h"

#include <set>

#include "host/residency/one_worker.h"
#include "host/worker/engine_error.h"
#include "host/worker/ops/inspect.h"

namespace roundhouse::host {
namespace {

// What refuses a model rather than the engines that there are.
bool is_of_the_model(rh_status code) {
  return code == RH_MODEL_NOT_CONVERTED || code == RH_MODEL_INVALID;
}

}  // namespace

InspectionResult inspect_directory(const ModelDirectory& directory, Registry& registry,
                                   const ClientOptions& options, const std::atomic<bool>& cancelled) {
  InspectionResult result;
  const auto& records = registry.records();
  const std::set<std::string> tasks = tasks_of(directory.architecture, records);
  if (tasks.empty()) {
    result.not_looked = "no engine runs '" + directory.architecture + "'";
    return result;
  }
  PlacementRequest request;
  if (!tasks.contains(request.route.task)) request.route.task = *tasks.begin();
  request.route.architecture = directory.architecture;
  request.route.weight_format = directory.weight_format;
  request.route.dtypes = directory.dtypes;
  if (!directory.main_dtype.empty()) request.route.weight_type = directory.main_dtype;
  request.model =
      ModelReference{directory.path.string(), directory.architecture, LocalDirectory{directory.path}};
  try {
    const Placement placement = place(std::move(request), registry);
    OneWorker worker(registry, options);
    const LeaseReport report = worker.lend_engine(placement, cancelled, [&](Lease& lease) {
      result.problems = inspect(lease.client(), {open_job(lease.report().placement)});
    });
    result.engine = report.placement.engine;
  } catch (const Error& error) {
    if (is_of_the_model(error.code())) {
      result.problems.push_back({error.code(), "", error.what()});
    } else if (error.code() == RH_CAPABILITY_UNSUPPORTED || error.code() == RH_ENGINE_NOT_FOUND) {
      result.not_looked = error.what();
    } else {
      throw;
    }
  }
  return result;
}

std::vector<Error> errors_of(const InspectionResult& result) {
  std::vector<Error> errors;
  for (const ModelProblem& problem : result.problems) {
    const Error error(problem.code, problem.message);
    errors.push_back(result.engine.empty() ? error : named_error(result.engine, error));
  }
  return errors;
}

}  // namespace roundhouse::host
