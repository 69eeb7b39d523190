// SPDX-License-Identifier: Apache-2.0
// Starts, asks, opens, works, ends.
#include "host/residency/one_worker.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "host/text/elapsed.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

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

class OwnLease final : public Lease {
 public:
  OwnLease(EngineClient& client, const std::atomic<bool>& cancelled, const LeaseReport& report)
      : client_(client), cancelled_(cancelled), report_(report) {}
  EngineClient& client() override { return client_; }
  bool is_cancelled() const override { return cancelled_.load(); }
  void call_ended(std::uint64_t /*peak_bytes*/) override {}
  const LeaseReport& report() const override { return report_; }

 private:
  EngineClient& client_;
  const std::atomic<bool>& cancelled_;
  const LeaseReport& report_;
};

// Loads the placed engine and holds its own word against what was asked. Returns why it cannot be used.
std::optional<Error> try_engine(EngineClient& client, const Placement& placement, Registry& registry,
                                const std::atomic<bool>& cancelled) {
  const std::filesystem::path file = placed_engine(placement, registry).manifest_file;
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

}  // namespace

OneWorker::OneWorker(Registry& registry, ClientOptions client, ClientFactory factory)
    : registry_(registry), client_(std::move(client)), factory_(std::move(factory)) {
}

// A client of the first engine that loads, in the order of routing. Each one is tried once: it is marked in
// the registry, or its report there keeps it from being chosen again.
std::unique_ptr<EngineClient> OneWorker::start(LeaseReport& report, const std::atomic<bool>& cancelled) {
  for (;;) {
    check_cancelled(cancelled);
    Placement& placement = report.placement;
    auto client = factory_(*placed_engine(placement, registry_).manifest, client_options(placement, client_));
    const std::optional<Error> failure = try_engine(*client, placement, registry_, cancelled);
    if (!failure) return client;
    report.notes.push_back(place_again(placement, registry_, *failure));
  }
}

LeaseReport OneWorker::lend(const LeaseRequest& request, const std::atomic<bool>& cancelled,
                            const LeaseEvents& events, const LeaseWork& work) {
  LeaseReport report;
  report.placement = request.placement;
  const Clock::time_point begin = Clock::now();
  const auto client = start(report, cancelled);
  const CancelWatch watch(*client, cancelled);
  report.opened = client->open(open_job(report.placement));
  report.loading_milliseconds = milliseconds_since(begin);
  if (events.loaded) events.loaded(report);
  OwnLease lease(*client, cancelled, report);
  if (work) work(lease);
  return report;
}

LeaseReport OneWorker::lend_engine(const Placement& placement, const std::atomic<bool>& cancelled,
                                   const LeaseWork& work) {
  LeaseReport report;
  report.placement = placement;
  const auto client = start(report, cancelled);
  const CancelWatch watch(*client, cancelled);
  OwnLease lease(*client, cancelled, report);
  work(lease);
  report.opened.engine = client->probe();
  return report;
}

}  // namespace roundhouse::host
