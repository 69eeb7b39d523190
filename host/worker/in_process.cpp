// SPDX-License-Identifier: Apache-2.0
// An engine in this process, for debugging: no worker, no timeouts.
#include <atomic>
#include <exception>

#include "host/worker/engine_client.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/probe.h"
#include "host/worker/ops/table.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {
namespace {

PluginLog log_or_nothing(const ClientOptions& options) {
  if (options.log) return options.log;
  return [](std::uint32_t, const std::string&, const std::string&) {};
}

// Both ends of a call in one place. What the caller's functions throw waits until the call is over.
class DirectContext final : public CallContext {
 public:
  DirectContext(const Call& call, std::atomic<bool>& cancelled) : call_(call), cancelled_(cancelled) {}
  bool is_cancelled() const noexcept override { return cancelled_.load(std::memory_order_relaxed); }
  void tell_alive() noexcept override {}
  void send(Message event) noexcept override {
    if (thrown_ || !call_.event) return;
    try {
      call_.event(event, is_cancelled());
    } catch (...) {
      thrown_ = std::current_exception();
      cancelled_.store(true);
    }
  }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  const Call& call_;
  std::atomic<bool>& cancelled_;
  std::exception_ptr thrown_;
};

class InProcessClient final : public EngineClient {
 public:
  InProcessClient(const EngineManifest& manifest, const ClientOptions& options)
      : setup_{manifest, thread_budget(options.threads), options.device, options.engine_options},
        engine_(std::make_shared<LoadedEngine>(log_or_nothing(options))) {}
  InProcessClient(EngineSetup setup, std::shared_ptr<LoadedEngine> engine)
      : setup_(std::move(setup)), engine_(std::move(engine)) {}

  EngineReport probe() override {
    EngineReport report;
    call(probe_call(setup_, report));
    return report;
  }

  OpenResult open(const ModelSource& source, const CallEvents& events) override {
    OpenResult result;
    call(load_call(source, events, result));
    return result;
  }

  void call(const Call& call) override {
    engine_->set_up(setup_);
    const Operation* operation = find_operation(operations(), call.operation);
    if (operation == nullptr) throw Error(RH_INTERNAL, "no operation '" + call.operation + "'");
    cancelled_.store(false);
    DirectContext context(call, cancelled_);
    try {
      Message answer = run_operation(*operation, *engine_, call.request, context);
      context.rethrow();
      call.answer(answer);
    } catch (const Error&) {
      context.rethrow();
      throw;
    }
  }

  std::unique_ptr<EngineClient> beside() override {
    return std::make_unique<InProcessClient>(setup_, engine_);
  }

  void cancel() noexcept override { cancelled_.store(true); }

  // What would end a worker ends this process.
  bool alive() override { return true; }
  bool was_heard() const noexcept override { return true; }
  pid_t process() const noexcept override { return 0; }
  void kill() noexcept override { cancelled_.store(true); }

 private:
  std::atomic<bool> cancelled_{false};
  const EngineSetup setup_;
  const std::shared_ptr<LoadedEngine> engine_;
};

}  // namespace

std::unique_ptr<EngineClient> make_in_process_client(const EngineManifest& manifest,
                                                     const ClientOptions& options) {
  return std::make_unique<InProcessClient>(manifest, options);
}

}  // namespace roundhouse::host
