// SPDX-License-Identifier: Apache-2.0
// The host's side of a worker: starts it, asks it, and survives whatever comes back or does not.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>

#include "host/worker/engine_client.h"
#include "host/worker/engine_error.h"
#include "host/worker/file_descriptor.h"
#include "host/worker/frame.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/probe.h"
#include "host/worker/printed_output.h"
#include "host/worker/process.h"
#include "host/worker/protocol.h"
#include "host/worker/redaction.h"
#include "host/worker/system_state.h"
#include "host/worker/worker_end.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kDeathPatience{1000};  // from the end of the connection to the end of the process

std::string seconds_text(milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", static_cast<double>(time.count()) / 1000);
  return text;
}

Deadline deadline_after(milliseconds timeout) {
  if (timeout.count() <= 0) return std::nullopt;
  return Clock::now() + timeout;
}

class WorkerClient final : public EngineClient {
  // The worker sent what no worker sends.
  [[noreturn]] void garbage(const std::string& what) {
    process_->kill();
    dead_ = true;
    report_output("its last call");
    throw Error(RH_ENGINE_BROKEN, engine_called(manifest_.id) + ": its worker sent " + what +
                                      ": the plugin writes to a descriptor that is not its own");
  }

 public:
  WorkerClient(const EngineManifest& manifest, const ClientOptions& options)
      : manifest_(manifest), options_(options), cancel_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (cancel_event_.get() < 0) throw Error(RH_INTERNAL, "eventfd: no descriptor left");
  }

  EngineReport probe() override {
    EngineReport report;
    exchange(probe_call(
        {manifest_, thread_budget(options_.threads), options_.device, options_.engine_options}, report));
    probed_ = true;
    printed_.add_remarks(report);
    return report;
  }

  OpenResult open(const ModelSource& source, const CallEvents& events) override {
    ensure_probed();
    OpenResult result;
    exchange(load_call(source, events, result));
    printed_.add_remarks(result.engine);
    return result;
  }

  void call(const Call& call) override {
    ensure_probed();
    exchange(call);
  }

  void cancel() noexcept override {
    const int saved = errno;
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the call knows already.
    [[maybe_unused]] const ssize_t written = write(cancel_event_.get(), &one, sizeof one);
    errno = saved;
  }

  bool alive() override { return !dead_.load() && (process_ == nullptr || process_->is_connected()); }
  bool was_heard() const noexcept override { return heard_; }
  pid_t process() const noexcept override {
    WorkerProcess* process = started_.load();
    return process != nullptr ? process->living() : 0;
  }
  void kill() noexcept override {
    if (WorkerProcess* process = started_.load()) process->send_kill();
  }

 private:
  // What is known while a call runs.
  struct Running {
    const Call& call;
    milliseconds silence;
    Deadline deadline = deadline_after(silence);
    bool cancelled = false;
    std::exception_ptr thrown = {};  // by the caller's functions

    void rethrow() const {
      if (thrown) std::rethrow_exception(thrown);
    }
  };

  void ensure_probed() {
    if (!probed_) probe();
  }

  void start() {
    if (dead_) {
      throw Error(RH_ENGINE_CRASHED, engine_called(manifest_.id) + ": its worker has ended after a failure");
    }
    if (process_) return;
    memory_kills_ = memory_kills();
    process_ = std::make_unique<WorkerProcess>(
        WorkerProcess::Setup{options_.executable, manifest_.id, engine_environment(manifest_)});
    started_.store(process_.get());
  }

  void exchange(const Call& call) {
    std::uint64_t stale = 0;
    [[maybe_unused]] const ssize_t drained = read(cancel_event_.get(), &stale, sizeof stale);
    heard_ = false;
    start();
    ++call_;
    private_texts_ = call.private_texts;
    Running running{call, options_.timeouts.*call.silence};
    try {
      write_frame(process_->socket(),
                  {FrameType::request, call_, call.request.json, call.request.payload, call.operation},
                  running.deadline);
    } catch (const FrameError&) {
      if (poll_timeout(running.deadline) == 0) time_out(running);
      end_of_connection(running);
    }
    Frame answer = wait_for_answer(running);
    report_output(call.operation);
    running.rethrow();
    if (running.cancelled) throw cancelled_error(running);
    finish(call, answer);
  }

  // Reads an answer; one that cannot be read ends the worker.
  void finish(const Call& call, Frame& answer) {
    try {
      if (answer.type == FrameType::failure) throw named_error(manifest_.id, decode<Error>(answer.json));
      Message message{std::move(answer.json), std::move(answer.payload)};
      call.answer(message);
    } catch (const FrameError& error) {
      garbage(error.what());
    }
  }

  Frame wait_for_answer(Running& running) {
    for (;;) {
      try {
        const std::uint64_t most = std::max(running.call.maximum_answer, running.call.maximum_event);
        while (std::optional<Frame> frame = decoder_.next(most)) {
          if (takes(running, *frame)) return std::move(*frame);
        }
      } catch (const FrameError& error) {
        garbage(error.what());
      }
      receive(running);
    }
  }

  // Whether the frame is the answer.
  bool takes(Running& running, Frame& frame) {
    heard_ = true;
    if (!running.cancelled) running.deadline = deadline_after(running.silence);
    if (frame.type == FrameType::log) {
      const auto message = decode<LogMessage>(frame.json);
      if (options_.log) {
        options_.log(message.level, message.category, without_texts(message.message, private_texts_));
      }
      return false;
    }
    if (frame.call != call_) throw FrameError("a message that answers no question");
    if (frame.type == FrameType::alive) return false;
    if (frame.type == FrameType::reply || frame.type == FrameType::failure) return true;
    if (frame.type != FrameType::event || !running.call.event) {
      throw FrameError("a message that does not belong to its call");
    }
    take_event(running, frame);
    return false;
  }

  // What the caller throws ends the call.
  void take_event(Running& running, Frame& frame) {
    Message event{std::move(frame.json), std::move(frame.payload)};
    try {
      running.call.event(event, running.cancelled);
    } catch (const FrameError&) {
      throw;
    } catch (...) {
      if (!running.thrown) running.thrown = std::current_exception();
      if (!running.cancelled) stop(running);
    }
  }

  // Waits for bytes, a cancel or the deadline.
  void receive(Running& running) {
    std::array<pollfd, 2> waiting{
        {{process_->socket(), POLLIN, 0}, {running.cancelled ? -1 : cancel_event_.get(), POLLIN, 0}}};
    const int ready = poll(waiting.data(), waiting.size(), poll_timeout(running.deadline));
    if (ready < 0 && errno == EINTR) return;
    if (ready == 0) time_out(running);
    if (waiting[1].revents != 0) stop(running);
    if (waiting[0].revents == 0) return;
    const ssize_t count = recv(process_->socket(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count > 0) {
      decoder_.feed({buffer_.data(), static_cast<std::size_t>(count)});
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      end_of_connection(running);
    }
  }

  void stop(Running& running) {
    running.cancelled = true;
    running.deadline = deadline_after(options_.timeouts.cancel);
    try {
      write_frame(process_->socket(), {FrameType::cancel, call_, "", {}}, running.deadline);
    } catch (const FrameError&) {
      end_of_connection(running);
    }
  }

  [[noreturn]] void time_out(Running& running) {
    process_->kill();
    dead_ = true;
    report_output(running.call.operation);
    if (running.cancelled) {
      log(RH_LOG_WARNING, engine_called(manifest_.id) + " did not stop within " +
                              seconds_text(options_.timeouts.cancel) + " after a cancel in " +
                              running.call.operation + " and was killed (rule P23)");
      running.rethrow();
      throw cancelled_error(running);
    }
    throw Error(RH_TIMEOUT, engine_called(manifest_.id) + " showed no progress for " +
                                seconds_text(running.silence) + " in " + running.call.operation);
  }

  [[noreturn]] void end_of_connection(Running& running) {
    dead_ = true;
    const bool ended = process_->wait(kDeathPatience);
    if (!ended) process_->kill();
    const std::string last_words = report_output(running.call.operation);
    const Error error =
        ended ? error_of({manifest_.id, running.call.operation, process_->exit_status(),
                          memory_kills() > memory_kills_, last_words})
              : Error(RH_ENGINE_BROKEN, engine_called(manifest_.id) +
                                            " closed the connection between worker and host in " +
                                            running.call.operation);
    if (!running.cancelled) throw error;
    log(RH_LOG_WARNING, error.what());
    running.rethrow();
    throw cancelled_error(running);
  }

  Error cancelled_error(const Running& running) const {
    std::string where = running.call.position ? running.call.position() : "";
    if (where.empty()) where = running.call.operation;
    return Error(RH_CANCELLED, engine_called(manifest_.id) + ": cancelled during " + where);
  }

  void log(std::uint32_t level, const std::string& message) const {
    if (options_.log) options_.log(level, "engine", message);
  }

  std::string report_output(const std::string& phase) {
    return printed_.report(*process_, phase, private_texts_);
  }

  EngineManifest manifest_;
  ClientOptions options_;
  PrintedOutput printed_{manifest_.id, options_};
  FileDescriptor cancel_event_;
  std::unique_ptr<WorkerProcess> process_;
  std::atomic<WorkerProcess*> started_{nullptr};  // process_, for all threads
  FrameDecoder decoder_;
  std::array<std::uint8_t, 65536> buffer_{};
  std::vector<std::string> private_texts_;  // of the last call; they stay out of the log
  std::uint32_t call_ = 0;
  std::uint64_t memory_kills_ = 0;  // before the worker was started
  bool probed_ = false;
  bool heard_ = false;  // in the last call
  std::atomic<bool> dead_{false};
};

}  // namespace

std::unique_ptr<EngineClient> make_worker_client(const EngineManifest& manifest,
                                                 const ClientOptions& options) {
  return std::make_unique<WorkerClient>(manifest, options);
}

}  // namespace roundhouse::host
