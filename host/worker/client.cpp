// SPDX-License-Identifier: Apache-2.0
// One call after the other to a worker, which others may be calling, too: asks, waits, cancels, and survives
// whatever comes back or does not.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>

#include "host/worker/connection.h"
#include "host/worker/engine_client.h"
#include "host/worker/engine_error.h"
#include "host/worker/file_descriptor.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/probe.h"
#include "host/worker/protocol.h"
#include "host/worker/system_state.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::string seconds_text(milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", static_cast<double>(time.count()) / 1000);
  return text;
}

Deadline deadline_after(milliseconds timeout, Clock::time_point from = Clock::now()) {
  if (timeout.count() <= 0) return std::nullopt;
  return from + timeout;
}

bool has_passed(const Deadline& deadline) {
  return poll_timeout(deadline) == 0;
}

class WorkerClient final : public EngineClient {
 public:
  WorkerClient(std::shared_ptr<WorkerConnection> connection, const EngineManifest& manifest,
               const ClientOptions& options, bool probed)
      : connection_(std::move(connection)),
        manifest_(manifest),
        options_(options),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        probed_(probed) {
    if (wake_.get() < 0) throw Error(RH_INTERNAL, "eventfd: no descriptor left");
  }

  EngineReport probe() override {
    EngineReport report;
    exchange(probe_call(
        {manifest_, thread_budget(options_.threads), options_.device, options_.engine_options}, report));
    probed_ = true;
    connection_->add_remarks(report);
    for (const std::string& stray : connection_->end_strays())
      report.remarks.push_back("left process " + stray + " behind, which was ended (rule P18)");
    return report;
  }

  OpenResult open(const ModelSource& source, const CallEvents& events) override {
    ensure_probed();
    OpenResult result;
    exchange(load_call(source, events, result));
    connection_->add_remarks(result.engine);
    return result;
  }

  void call(const Call& call) override {
    ensure_probed();
    exchange(call);
  }

  std::unique_ptr<EngineClient> beside() override {
    return std::make_unique<WorkerClient>(connection_, manifest_, options_, probed_);
  }

  void cancel() noexcept override {
    const int saved = errno;
    cancelled_.store(true);
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the call wakes anyway.
    [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
    errno = saved;
  }

  bool alive() override { return connection_->alive(); }
  bool was_heard() const noexcept override { return heard_; }
  pid_t process() const noexcept override { return connection_->process(); }
  void kill() noexcept override { connection_->send_kill(); }

 private:
  // What is known while a call runs.
  struct Running {
    const Call& call;
    milliseconds silence;
    OngoingCall& ongoing;
    Clock::time_point busy = Clock::now();  // until when its caller kept the worker waiting
    Deadline stop_deadline = {};            // once it is cancelled
    bool cancelled = false;
    std::exception_ptr thrown = {};  // by the caller's functions

    void rethrow() const {
      if (thrown) std::rethrow_exception(thrown);
    }
  };

  void ensure_probed() {
    if (!probed_) probe();
  }

  void exchange(const Call& call) {
    cancelled_.store(false);
    drain();
    heard_ = false;
    OngoingCall ongoing{call, wake_.get()};
    Running running{call, options_.timeouts.*call.silence, ongoing};
    std::optional<Frame> answer;
    try {
      send(running, [&](const Deadline& deadline) { connection_->begin(ongoing, deadline); });
      answer = wait_for_answer(running);
    } catch (...) {
      heard_ = connection_->end(ongoing);
      throw;
    }
    heard_ = connection_->end(ongoing);
    connection_->report_output(call.operation);
    running.rethrow();
    if (running.cancelled) throw cancelled_error(running);
    finish(call, *answer);
  }

  // Reads an answer; one that cannot be read ends the worker.
  void finish(const Call& call, Frame& answer) {
    try {
      if (answer.type == FrameType::failure) throw named_error(manifest_.id, decode<Error>(answer.json));
      Message message{std::move(answer.json), std::move(answer.payload)};
      call.answer(message);
    } catch (const FrameError& error) {
      connection_->kill_for_garbage(error.what());
      throw connection_->reason(call.operation);
    }
  }

  Frame wait_for_answer(Running& running) {
    for (;;) {
      const bool lost = connection_->is_lost();  // before the last look at what has come
      while (std::optional<Frame> frame = connection_->next(running.ongoing)) {
        if (frame->type != FrameType::event) return std::move(*frame);
        take_event(running, *frame);
      }
      if (lost) give_up(running);
      if (cancelled_.exchange(false) && !running.cancelled) stop(running);
      wait(running);
    }
  }

  // What the caller throws ends the call.
  void take_event(Running& running, Frame& frame) {
    if (cancelled_.exchange(false) && !running.cancelled) stop(running);
    Message event{std::move(frame.json), std::move(frame.payload)};
    try {
      running.call.event(event, running.cancelled);
    } catch (const FrameError& error) {
      connection_->kill_for_garbage(error.what());
      give_up(running);
    } catch (...) {
      if (!running.thrown) running.thrown = std::current_exception();
      if (!running.cancelled) stop(running);
    }
    running.busy = Clock::now();
    send(running, [&](const Deadline& deadline) { connection_->give_credit(running.ongoing, deadline); });
  }

  // Whoever is cancelled has so long; who is not must not be silent, unless its caller keeps it waiting.
  Deadline deadline(const Running& running) const {
    if (running.cancelled) return running.stop_deadline;
    return deadline_after(running.silence, std::max(running.busy, connection_->heard(running.ongoing)));
  }

  // For a frame, a cancel or the deadline.
  void wait(Running& running) {
    pollfd waiting{wake_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, poll_timeout(deadline(running)));
    if (ready > 0) drain();
    if (ready == 0 && has_passed(deadline(running))) time_out(running);
  }

  void drain() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = read(wake_.get(), &count, sizeof count);
  }

  template <typename Write>
  void send(Running& running, Write&& write) {
    const Deadline until = deadline(running);
    try {
      write(until);
    } catch (const FrameError&) {
      if (has_passed(until)) time_out(running);
      give_up(running);
    }
  }

  void stop(Running& running) {
    running.cancelled = true;
    running.stop_deadline = deadline_after(options_.timeouts.cancel);
    send(running, [&](const Deadline& deadline) { connection_->cancel(running.ongoing, deadline); });
  }

  [[noreturn]] void time_out(Running& running) {
    const std::string& phase = running.call.operation;
    connection_->log_stacks(phase);
    if (running.cancelled) {
      const std::string what =
          " did not stop within " + seconds_text(options_.timeouts.cancel) + " after a cancel in " + phase;
      connection_->kill("another of its calls" + what);
      connection_->report_output(phase);
      log(engine_called(manifest_.id) + what + " and was killed (rule P23)");
      running.rethrow();
      throw cancelled_error(running);
    }
    const std::string what = " showed no progress for " + seconds_text(running.silence) + " in " + phase;
    connection_->kill("another of its calls" + what);
    connection_->report_output(phase);
    throw Error(
        RH_TIMEOUT, engine_called(manifest_.id) + what,
        "allow more time (roundhouse serve: --load-timeout, --silence-timeout), or pick a faster engine or "
        "a smaller image");
  }

  // The worker is gone, or of no use.
  [[noreturn]] void give_up(Running& running) {
    const Error error = connection_->reason(running.call.operation);
    if (!running.cancelled) throw error;
    log(error.what());
    running.rethrow();
    throw cancelled_error(running);
  }

  Error cancelled_error(const Running& running) const {
    std::string where = running.call.position ? running.call.position() : "";
    if (where.empty()) where = running.call.operation;
    return Error(RH_CANCELLED, engine_called(manifest_.id) + ": cancelled during " + where);
  }

  void log(const std::string& message) const {
    if (options_.log) options_.log(RH_LOG_WARNING, "engine", message);
  }

  const std::shared_ptr<WorkerConnection> connection_;
  const EngineManifest manifest_;
  const ClientOptions options_;
  const FileDescriptor wake_;
  std::atomic<bool> cancelled_{false};  // somebody has asked
  bool probed_ = false;
  bool heard_ = false;  // in the last call
};

}  // namespace

std::unique_ptr<EngineClient> make_worker_client(const EngineManifest& manifest,
                                                 const ClientOptions& options) {
  return std::make_unique<WorkerClient>(std::make_shared<WorkerConnection>(manifest, options), manifest,
                                        options, false);
}

}  // namespace roundhouse::host
