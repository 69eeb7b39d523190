// SPDX-License-Identifier: Apache-2.0
// The host's side of a worker: starts it, asks it, and survives whatever comes back or does not.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "host/worker/call_listener.h"
#include "host/worker/convert_protocol.h"
#include "host/worker/engine_client.h"
#include "host/worker/engine_error.h"
#include "host/worker/file_descriptor.h"
#include "host/worker/frame.h"
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

// One question and how long its answer may take.
struct Question {
  FrameType type;
  std::string json;
  const char* phase;
  milliseconds timeout;
  std::uint64_t maximum_payload = 0;
};

class WorkerClient final : public EngineClient {
  // The worker sent what no worker sends.
  [[noreturn]] void garbage(const std::string& what) {
    process_->kill();
    dead_ = true;
    report_output("its last call");
    throw Error(RH_ENGINE_BROKEN, engine_called(manifest_.id) + ": its worker sent " + what +
                                      ": the plugin writes to a descriptor that is not its own");
  }

  // Reads an answer; one that cannot be read ends the worker.
  template <typename Read>
  auto understood(const Frame& answer, Read&& reader) {
    try {
      return reader(answer);
    } catch (const FrameError& error) {
      garbage(error.what());
    }
  }

 public:
  WorkerClient(const EngineManifest& manifest, const ClientOptions& options)
      : manifest_(manifest), options_(options), cancel_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (cancel_event_.get() < 0) throw Error(RH_INTERNAL, "eventfd: no descriptor left");
  }

  EngineReport probe() override {
    const ProbeMessage message{manifest_, thread_budget(options_.threads), options_.device,
                               options_.engine_options};
    const Frame answer = ask({FrameType::probe, encode(message), "probe", options_.timeouts.probe});
    return understood(answer, [this](const Frame& frame) {
      auto report = decode<EngineReport>(frame.json);
      probed_ = true;
      printed_.add_remarks(report);
      return report;
    });
  }

  OpenResult open(const ModelSource& job, const CallEvents& events) override {
    ensure_probed();
    EventListener listener(events);
    const Frame answer = ask({FrameType::open, encode(job), "load", options_.timeouts.load}, listener);
    return understood(answer, [this](const Frame& frame) {
      auto result = decode<OpenResult>(frame.json);
      printed_.add_remarks(result.engine);
      return result;
    });
  }

  ImageResult generate(const ImageTask& asked, const CallEvents& events) override {
    ensure_probed();
    ImageTask job = asked;
    if (!events.preview) job.preview_every = 0;
    last_job_ = job;
    EventListener listener(events, job.preview_every > 0 ? &job : nullptr);
    const std::uint64_t samples = std::uint64_t{3} * job.width * job.height;
    const Frame answer =
        ask({FrameType::generate, encode(job), "generate", options_.timeouts.step, samples}, listener);
    return understood(answer, [&](const Frame& frame) {
      auto result = decode<ImageResult>(frame.json);
      if (result.image.width != job.width || result.image.height != job.height ||
          frame.payload.size() != samples) {
        throw FrameError("a picture of another size");
      }
      result.image.rgb = frame.payload;
      return result;
    });
  }

  Estimate estimate(const ModelSource& model, const ImageTask& job) override {
    ensure_probed();
    last_job_ = job;
    const Frame answer =
        ask({FrameType::estimate, encode(EstimateMessage{model, job}), "estimate", options_.timeouts.load});
    return understood(answer, [](const Frame& frame) { return decode<Estimate>(frame.json); });
  }

  double matrix_rate(const std::string& product, std::uint32_t m, std::uint32_t n, std::uint32_t k,
                     double seconds) override {
    ensure_probed();
    const Frame answer = ask({FrameType::matrix_rate, encode(RateMessage{product, m, n, k, seconds}), "bench",
                              options_.timeouts.step});
    return understood(answer, [](const Frame& frame) { return decode<double>(frame.json); });
  }

  ConvertResult convert(const ConvertTask& job, const ConvertProgress& seen) override {
    ensure_probed();
    ConvertListener listener(seen);
    const Frame answer =
        ask({FrameType::convert, encode(job), "convert", options_.timeouts.step, kMaximumTensorListBytes},
            listener);
    return understood(answer, [](const Frame& frame) {
      auto result = decode<ConvertResult>(frame.json);
      result.tensors = decode_tensors(frame.payload);
      return result;
    });
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
    const Question& question;
    CallListener& listener;
    Deadline deadline;
    bool cancelled = false;
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

  Frame ask(const Question& question) {
    SilentListener silent;
    return ask(question, silent);
  }

  Frame ask(const Question& question, CallListener& listener) {
    std::uint64_t stale = 0;
    [[maybe_unused]] const ssize_t drained = read(cancel_event_.get(), &stale, sizeof stale);
    heard_ = false;
    start();
    ++call_;
    Running running{question, listener, deadline_after(question.timeout)};
    try {
      write_frame(process_->socket(), {question.type, call_, question.json, {}}, running.deadline);
    } catch (const FrameError&) {
      if (poll_timeout(running.deadline) == 0) time_out(running);
      end_of_connection(running);
    }
    Frame answer = wait_for_answer(running);
    report_output(question.phase);
    listener.rethrow();
    if (running.cancelled) throw cancelled_error(running);
    if (answer.type == FrameType::failure) throw failure_of(answer);
    return answer;
  }

  Frame wait_for_answer(Running& running) {
    for (;;) {
      try {
        while (std::optional<Frame> frame = decoder_.next(running.question.maximum_payload)) {
          if (takes(running, *frame)) return std::move(*frame);
        }
      } catch (const FrameError& error) {
        garbage(error.what());
      }
      receive(running);
    }
  }

  // Whether the frame is the answer.
  bool takes(Running& running, const Frame& frame) {
    heard_ = true;
    if (!running.cancelled) running.deadline = deadline_after(running.question.timeout);
    if (frame.type == FrameType::log) {
      const auto message = decode<LogMessage>(frame.json);
      if (options_.log) {
        options_.log(message.level, message.category, without_prompts(message.message, last_job_));
      }
      return false;
    }
    if (frame.call != call_) throw FrameError("a message that answers no question");
    if (frame.type == FrameType::alive) return false;
    if (frame.type == FrameType::reply || frame.type == FrameType::failure) return true;
    if (!running.listener.take(frame, running.cancelled)) stop(running);
    return false;
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
    report_output(running.question.phase);
    if (running.cancelled) {
      log(RH_LOG_WARNING, engine_called(manifest_.id) + " did not stop within " +
                              seconds_text(options_.timeouts.cancel) + " after a cancel in " +
                              running.question.phase + " and was killed (rule P23)");
      running.listener.rethrow();
      throw cancelled_error(running);
    }
    throw Error(RH_TIMEOUT, engine_called(manifest_.id) + " showed no progress for " +
                                seconds_text(running.question.timeout) + " in " + running.question.phase);
  }

  [[noreturn]] void end_of_connection(Running& running) {
    dead_ = true;
    const bool ended = process_->wait(kDeathPatience);
    if (!ended) process_->kill();
    const std::string last_words = report_output(running.question.phase);
    const Error error =
        ended ? error_of({manifest_.id, running.question.phase, process_->exit_status(),
                          memory_kills() > memory_kills_, last_words})
              : Error(RH_ENGINE_BROKEN, engine_called(manifest_.id) +
                                            " closed the connection between worker and host in " +
                                            running.question.phase);
    if (!running.cancelled) throw error;
    log(RH_LOG_WARNING, error.what());
    running.listener.rethrow();
    throw cancelled_error(running);
  }

  Error failure_of(const Frame& answer) {
    return understood(
        answer, [this](const Frame& frame) { return named_error(manifest_.id, decode<Error>(frame.json)); });
  }

  Error cancelled_error(const Running& running) const {
    std::string where = running.question.phase;
    const std::optional<ProgressEvent> last = running.listener.last();
    if (last && last->steps > 0) {
      where =
          last->stage + ", after step " + std::to_string(last->step) + " of " + std::to_string(last->steps);
    }
    return Error(RH_CANCELLED, engine_called(manifest_.id) + ": cancelled during " + where);
  }

  void log(std::uint32_t level, const std::string& message) const {
    if (options_.log) options_.log(level, "engine", message);
  }

  std::string report_output(const char* phase) { return printed_.report(*process_, phase, last_job_); }

  EngineManifest manifest_;
  ClientOptions options_;
  PrintedOutput printed_{manifest_.id, options_};
  FileDescriptor cancel_event_;
  std::unique_ptr<WorkerProcess> process_;
  std::atomic<WorkerProcess*> started_{nullptr};  // process_, for all threads
  FrameDecoder decoder_;
  std::array<std::uint8_t, 65536> buffer_{};
  ImageTask last_job_;  // whose prompts stay out of the log
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
