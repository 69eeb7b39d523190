// SPDX-License-Identifier: Apache-2.0
// What engines do without a model open.
#include "host/session/session.h"
#include "host/store/validate.h"
#include "host/worker/ops/convert.h"
#include "host/worker/ops/estimate.h"
#include "host/worker/ops/trace.h"

namespace roundhouse::host {

EstimateResult estimate_plan(const GeneratePlan& plan, OneWorker& worker,
                             const std::atomic<bool>& cancelled) {
  EstimateResult result;
  const LeaseReport report = worker.lend_engine(plan, cancelled, [&](Lease& lease) {
    result.estimate = estimate(lease.client(), {open_job(lease.report().placement), plan.job});
  });
  result.report = report.opened.engine;
  result.engine = report.placement.engine;
  result.notes = plan.notes;
  result.notes.insert(result.notes.end(), report.notes.begin(), report.notes.end());
  return result;
}

std::vector<std::string> trace_plan(const GeneratePlan& plan, OneWorker& worker,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(TraceTensor)>& seen) {
  const LeaseReport report = worker.lend_engine(plan, cancelled, [&](Lease& lease) {
    trace(lease.client(), {open_job(lease.report().placement), plan.job}, seen);
  });
  std::vector<std::string> notes = plan.notes;
  notes.insert(notes.end(), report.notes.begin(), report.notes.end());
  return notes;
}

ConversionPlan make_conversion_plan(const std::string& type, const std::string& format,
                                    const std::optional<std::string>& engine, const Registry& registry) {
  PlacementRequest request;
  request.route.convert = type;
  request.route.engine = engine;
  ConversionPlan plan;
  static_cast<Placement&>(plan) = place(std::move(request), registry);
  plan.job.type = type;
  plan.job.format = format;
  return plan;
}

ConversionResult run_conversion(const ConversionPlan& plan, OneWorker& worker,
                                const std::atomic<bool>& cancelled, const ConvertProgress& seen) {
  ConversionResult result;
  const LeaseReport report = worker.lend_engine(
      plan, cancelled, [&](Lease& lease) { result.converted = convert(lease.client(), plan.job, seen); });
  require_whole_model(plan.job.target);
  result.report = report.opened.engine;
  result.engine = report.placement.engine;
  result.notes = report.notes;
  return result;
}

}  // namespace roundhouse::host
