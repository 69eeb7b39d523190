// SPDX-License-Identifier: Apache-2.0
// A plan at work: engine, model, pictures one after the other, and the way out when it is cancelled.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "host/session/plan_use.h"

namespace roundhouse::host {
namespace {

// Tells the engine when `cancelled` is set, again and again: a cancel between two calls is lost.
class CancelWatch {
 public:
  CancelWatch(EngineClient& client, const std::atomic<bool>& cancelled)
      : thread_([this, &client, &cancelled](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          while (!stop.stop_requested()) {
            if (cancelled.load()) client.cancel();
            wake_.wait_for(lock, stop, std::chrono::milliseconds(10), [] { return false; });
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

void check_cancelled(const std::atomic<bool>& cancelled) {
  if (cancelled.load()) throw Error(RH_CANCELLED, "cancelled before the engine had begun");
}

// A worker for one plan; the plan's placement may change.
struct Run {
  Placement& placement;
  std::vector<std::string>& notes;
  Registry& registry;
  const SessionOptions& options;
  const std::atomic<bool>& cancelled;

  std::unique_ptr<EngineClient> make_client() const {
    const EngineManifest& manifest = *placed_engine(placement, registry).manifest;
    const ClientOptions client = client_options(placement, options.client);
    return options.in_process ? make_in_process_client(manifest, client)
                              : make_worker_client(manifest, client);
  }

  // Loads the planned engine and holds its own word against the request. Returns why it cannot be used.
  std::optional<Error> try_engine(EngineClient& client) {
    const std::filesystem::path file = registry.find(placement.engine)->manifest_file;
    try {
      const CancelWatch watch(client, cancelled);
      registry.set_report(file, client.probe());
    } catch (const Error& error) {
      if (error.code() == RH_CANCELLED) throw;
      registry.set_error(file, error);
      return error;
    }
    return placement_refusal(placement, registry);
  }

  // A client of the first engine that loads, in the order of routing. Each one is tried once: it is marked in
  // the registry, or its report there keeps it from being chosen again.
  std::unique_ptr<EngineClient> loaded_client() {
    for (;;) {
      check_cancelled(cancelled);
      auto client = make_client();
      const std::optional<Error> failure = try_engine(*client);
      if (!failure) return client;
      notes.push_back(place_again(placement, registry, *failure));
    }
  }

  void make_images(const GeneratePlan& plan, EngineClient& client, const SessionEvents& events) const {
    for (std::uint32_t image = 0; image < plan.images; ++image) {
      const ImageTask job = image_job(plan, image);
      check_cancelled(cancelled);
      const auto progress = [&](const ProgressEvent& event) {
        if (events.progress) events.progress(image, event);
      };
      const ImageResult result = client.generate(job, progress);
      if (events.image) events.image(image, job.seed, result);
    }
  }
};

}  // namespace

SessionResult run_plan(const GenerateRequest& /*request*/, GeneratePlan plan, Registry& registry,
                       const SessionOptions& options, const std::atomic<bool>& cancelled,
                       const SessionEvents& events) {
  Run run{plan, plan.notes, registry, options, cancelled};
  const auto client = run.loaded_client();
  const CancelWatch watch(*client, cancelled);
  SessionResult result;
  result.opened = client->open(open_job(plan));
  result.engine = plan.engine;
  if (events.loaded) events.loaded(result.opened);
  run.make_images(plan, *client, events);
  result.notes = plan.notes;
  return result;
}

EstimateResult estimate_plan(GeneratePlan plan, Registry& registry, const SessionOptions& options,
                             const std::atomic<bool>& cancelled) {
  Run run{plan, plan.notes, registry, options, cancelled};
  const auto client = run.loaded_client();
  const CancelWatch watch(*client, cancelled);
  EstimateResult result;
  result.estimate = client->estimate(open_job(plan), plan.job);
  result.report = client->probe();
  result.engine = plan.engine;
  result.notes = plan.notes;
  return result;
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

ConversionResult run_conversion(ConversionPlan plan, Registry& registry, const SessionOptions& options,
                                const std::atomic<bool>& cancelled, const ConvertProgress& seen) {
  Run run{plan, plan.notes, registry, options, cancelled};
  const auto client = run.loaded_client();
  const CancelWatch watch(*client, cancelled);
  ConversionResult result;
  result.converted = client->convert(plan.job, seen);
  result.report = client->probe();
  result.engine = plan.engine;
  result.notes = plan.notes;
  return result;
}

}  // namespace roundhouse::host
