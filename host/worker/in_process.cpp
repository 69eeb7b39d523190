// SPDX-License-Identifier: Apache-2.0
// An engine in this process, for debugging: no worker, no timeouts.
#include <atomic>

#include "host/worker/engine_client.h"
#include "host/worker/engine_work.h"
#include "host/worker/guarded_events.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {
namespace {

PluginLog log_or_nothing(const ClientOptions& options) {
  if (options.log) return options.log;
  return [](std::uint32_t, const std::string&, const std::string&) {};
}

class InProcessClient final : public EngineClient {
  template <typename Call>
  auto watched(const CallEvents& events, Call&& call) {
    GuardedEvents guarded(events);
    cancelled_.store(false);
    Watch watch{[&](const ProgressEvent& event) {
                  if (!guarded.tell(event)) cancelled_.store(true);
                },
                &cancelled_};
    if (events.preview) {
      watch.preview = [&](const PreviewEvent& event) {
        if (!guarded.show(event)) cancelled_.store(true);
      };
    }
    try {
      return call(watch);
    } catch (...) {
      guarded.rethrow();
      throw;
    }
  }

 public:
  InProcessClient(const EngineManifest& manifest, const ClientOptions& options)
      : work_(manifest, thread_budget(options.threads), options.device, options.engine_options,
              log_or_nothing(options)) {}

  EngineReport probe() override { return work_.probe(); }

  OpenResult open(const ModelSource& job, const CallEvents& events) override {
    return watched(events, [&](const Watch& watch) { return work_.open(job, watch); });
  }

  Estimate estimate(const ModelSource& model, const ImageTask& job) override {
    return watched({}, [&](const Watch& watch) { return work_.estimate(model, job, watch); });
  }

  ImageResult generate(const ImageTask& job, const CallEvents& events) override {
    return watched(events, [&](const Watch& watch) { return work_.generate(job, watch); });
  }

  double matrix_rate(const std::string& product, std::uint32_t m, std::uint32_t n, std::uint32_t k,
                     double seconds) override {
    return work_.matrix_rate(product, m, n, k, seconds);
  }

  ConvertResult convert(const ConvertTask& job, const ConvertProgress& seen) override {
    return watched({}, [&](const Watch& watch) { return work_.convert(job, watch, seen); });
  }

  void cancel() noexcept override { cancelled_.store(true); }

  // What would end a worker ends this process.
  bool alive() override { return true; }
  bool was_heard() const noexcept override { return true; }
  pid_t process() const noexcept override { return 0; }
  void kill() noexcept override { cancelled_.store(true); }

 private:
  std::atomic<bool> cancelled_{false};
  EngineWork work_;
};

}  // namespace

std::unique_ptr<EngineClient> make_in_process_client(const EngineManifest& manifest,
                                                     const ClientOptions& options) {
  return std::make_unique<InProcessClient>(manifest, options);
}

}  // namespace roundhouse::host
