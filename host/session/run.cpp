// SPDX-License-Identifier: Apache-2.0
// A plan at work: engine, model, pictures one after the other, and the way out when it is cancelled.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "host/session/device.h"
#include "host/session/session.h"

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

struct Run {
  GeneratePlan& plan;
  Registry& registry;
  const SessionOptions& options;
  const std::atomic<bool>& cancelled;

  bool automatic() const { return !plan.route.engine || *plan.route.engine == "auto"; }

  std::unique_ptr<EngineClient> make_client() const {
    const EngineRecord* record = registry.find(plan.engine);
    if (record == nullptr || !record->manifest) {
      throw Error(RH_INTERNAL, "engine '" + plan.engine + "' is not in the registry");
    }
    ClientOptions client = options.client;
    client.device = plan.device;
    client.engine_options = plan.engine_options;
    return options.in_process ? make_in_process_client(*record->manifest, client)
                              : make_worker_client(*record->manifest, client);
  }

  // Loads the planned engine and holds its own word against the request. Returns why it cannot be used.
  std::optional<Error> try_engine(EngineClient& client) {
    const std::filesystem::path file = registry.find(plan.engine)->manifest_file;
    try {
      const CancelWatch watch(client, cancelled);
      registry.set_report(file, client.probe());
    } catch (const Error& error) {
      if (error.code() == RH_CANCELLED) throw;
      registry.set_error(file, error);
      return error;
    }
    RouteRequest named = plan.route;
    named.engine = plan.engine;
    return route(named, registry.records()).error;
  }

  // A client of the first engine that loads, in the order of routing. Each one is tried once: it is marked in
  // the registry, or its report there keeps it from being chosen again.
  std::unique_ptr<EngineClient> loaded_client() {
    for (;;) {
      check_cancelled(cancelled);
      auto client = make_client();
      const std::optional<Error> failure = try_engine(*client);
      if (!failure) return client;
      if (!automatic()) throw *failure;
      plan.decision = route(plan.route, registry.records());
      if (plan.decision.error) throw *failure;
      const std::string failed = std::exchange(plan.engine, plan.decision.engine);
      plan.device = device_for(plan.route.device, *registry.find(plan.engine));
      plan.notes.push_back("engine '" + failed + "' cannot be used (" + failure->what() + "); engine '" +
                           plan.engine + "' takes its place");
    }
  }

  OpenJob open_job() const {
    return {plan.model_directory, plan.architecture, plan.memory_limit_bytes, plan.model_options};
  }

  void make_images(EngineClient& client, const SessionEvents& events) const {
    ImageJob job = plan.job;
    for (std::uint32_t image = 0; image < plan.images; ++image) {
      job.seed = (plan.job.seed + image) & INT64_MAX;
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
  Run run{plan, registry, options, cancelled};
  const auto client = run.loaded_client();
  const CancelWatch watch(*client, cancelled);
  SessionResult result;
  result.opened = client->open(run.open_job());
  result.engine = plan.engine;
  if (events.loaded) events.loaded(result.opened);
  run.make_images(*client, events);
  result.notes = plan.notes;
  return result;
}

EstimateResult estimate_plan(GeneratePlan plan, Registry& registry, const SessionOptions& options,
                             const std::atomic<bool>& cancelled) {
  Run run{plan, registry, options, cancelled};
  const auto client = run.loaded_client();
  const CancelWatch watch(*client, cancelled);
  EstimateResult result;
  result.estimate = client->estimate(run.open_job(), plan.job);
  result.report = client->probe();
  result.engine = plan.engine;
  result.notes = plan.notes;
  return result;
}

}  // namespace roundhouse::host
