// SPDX-License-Identifier: Apache-2.0
// The worker's side: takes requests from the socket, works, answers, and ends when the socket closes.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "host/worker/convert_protocol.h"
#include "host/worker/engine_client.h"
#include "host/worker/engine_work.h"
#include "host/worker/frame.h"
#include "host/worker/process.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSocket = 3;
constexpr std::chrono::milliseconds kLoadProgressInterval{50};
constexpr std::chrono::milliseconds kAliveInterval{200};

// The thread `listen` takes frames from the socket; the main thread, which calls `run`, works.
class Worker {
 public:
  [[noreturn]] void run() {
    std::thread([this] { listen(); }).detach();
    while (std::optional<Frame> request = next_request())
      handle(*request);
    work_.reset();
    _exit(0);
  }

 private:
  [[noreturn]] void listen() {
    FrameDecoder decoder;
    std::array<std::uint8_t, 65536> buffer;
    for (;;) {
      const ssize_t count = recv(kSocket, buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) close_down();
      try {
        decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
        while (std::optional<Frame> frame = decoder.next(0))
          take(std::move(*frame));
      } catch (const std::exception&) {
        close_down();
      }
    }
  }

  void take(Frame frame) {
    if (frame.type == FrameType::cancel) {
      if (frame.call == call_) cancelled_.store(true);
      return;
    }
    // The flag is cleared here and not when the work begins: a cancel may come before that.
    call_ = frame.call;
    cancelled_.store(false);
    const std::lock_guard lock(mutex_);
    request_ = std::move(frame);
    changed_.notify_all();
  }

  // The host is gone or done. An idle engine may end in order, within a limit; a working one is of no use.
  [[noreturn]] void close_down() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      if (busy_) _exit(0);
      changed_.notify_all();
    }
    std::this_thread::sleep_for(WorkerProcess::kGoodbye);
    _exit(0);
  }

  std::optional<Frame> next_request() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return request_.has_value() || closed_; });
    if (closed_) return std::nullopt;
    busy_ = true;
    return std::exchange(request_, std::nullopt);
  }

  void send(const Frame& frame) {
    const std::lock_guard lock(write_mutex_);
    try {
      write_frame(kSocket, frame);
    } catch (const FrameError&) {
      _exit(0);  // nobody listens
    }
  }

  void handle(const Frame& request) {
    Frame answer;
    try {
      answer = answer_to(request);
      answer.type = FrameType::reply;
    } catch (const Error& error) {
      answer = {FrameType::failure, 0, encode(error), {}};
    } catch (const std::bad_alloc&) {
      answer = {FrameType::failure, 0, encode(Error(RH_OUT_OF_MEMORY, "no memory for the answer")), {}};
    } catch (const std::exception& error) {
      answer = {FrameType::failure, 0, encode(Error(RH_INTERNAL, error.what())), {}};
    }
    answer.call = request.call;
    // What the plugin printed has to be in the pipe before the host looks there.
    std::fflush(nullptr);
    {
      // Before the answer is out: the host may close the connection as soon as it has it.
      const std::lock_guard lock(mutex_);
      busy_ = false;
    }
    send(answer);
  }

  Frame answer_to(const Frame& request) {
    if (request.type == FrameType::probe) return probe(decode<ProbeMessage>(request.json));
    if (!work_) throw Error(RH_INTERNAL, "the worker was not told its engine");
    if (request.type == FrameType::open) return open(decode<ModelSource>(request.json), request.call);
    if (request.type == FrameType::generate) return generate(decode<ImageTask>(request.json), request.call);
    if (request.type == FrameType::estimate)
      return estimate(decode<EstimateMessage>(request.json), request.call);
    if (request.type == FrameType::convert) return convert(decode<ConvertTask>(request.json), request.call);
    const auto rate = decode<RateMessage>(request.json);
    return {FrameType::reply,
            0,
            encode(work_->matrix_rate(rate.product, rate.m, rate.n, rate.k, rate.seconds)),
            {}};
  }

  Frame probe(ProbeMessage message) {
    if (!work_) {
      work_ = std::make_unique<EngineWork>(
          std::move(message.manifest), message.threads, std::move(message.device), std::move(message.options),
          [this](std::uint32_t level, const std::string& category, const std::string& text) {
            send({FrameType::log, 0, encode(LogMessage{level, category, text}), {}});
          });
    }
    return {FrameType::reply, 0, encode(work_->probe()), {}};
  }

  Frame open(const ModelSource& job, std::uint32_t call) {
    Clock::time_point last{};
    const Watch watch{[&](const ProgressEvent& event) {
                        const auto now = Clock::now();
                        if (now - last < kLoadProgressInterval && event.fraction < 1) return;
                        last = now;
                        send({FrameType::progress, call, encode(event), {}});
                      },
                      &cancelled_, [&] { tell_alive(call); }};
    return {FrameType::reply, 0, encode(work_->open(job, watch)), {}};
  }

  Frame estimate(const EstimateMessage& message, std::uint32_t call) {
    const Watch watch{{}, &cancelled_, [this, call] { tell_alive(call); }};
    return {FrameType::reply, 0, encode(work_->estimate(message.model, message.job, watch)), {}};
  }

  Frame convert(const ConvertTask& job, std::uint32_t call) {
    Clock::time_point last{};
    const Watch watch{{}, &cancelled_, [this, call] { tell_alive(call); }};
    const ConvertResult result = work_->convert(job, watch, [&](const ConvertEvent& event) {
      const auto now = Clock::now();
      if (now - last < kLoadProgressInterval && event.done_bytes < event.total_bytes) return;
      last = now;
      send({FrameType::converting, call, encode(event), {}});
    });
    return {FrameType::reply, 0, encode(result), encode_tensors(result.tensors)};
  }

  Frame generate(const ImageTask& job, std::uint32_t call) {
    Watch watch{[&](const ProgressEvent& event) {
                  send({FrameType::progress, call, encode(event), {}});
                },
                &cancelled_, [&] { tell_alive(call); }};
    if (job.preview_every > 0) {
      watch.preview = [&](const PreviewEvent& event) {
        send({FrameType::preview, call, encode(event), event.image.rgb});
      };
    }
    ImageResult result = work_->generate(job, watch);
    Frame answer{FrameType::reply, 0, encode(result), {}};
    answer.payload = std::move(result.image.rgb);
    return answer;
  }

  // A long step is no hang as long as the engine asks whether to stop; once in a while is enough. Any thread.
  void tell_alive(std::uint32_t call) {
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
    auto last = last_alive_.load(std::memory_order_relaxed);
    if (now - last < kAliveInterval.count() || !last_alive_.compare_exchange_strong(last, now)) return;
    send({FrameType::alive, call, "", {}});
  }

  std::unique_ptr<EngineWork> work_;  // the main thread's
  std::uint32_t call_ = 0;            // the listener's
  std::atomic<bool> cancelled_{false};
  std::atomic<std::int64_t> last_alive_{0};  // ms of the steady clock
  std::mutex write_mutex_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::optional<Frame> request_;
  bool busy_ = false, closed_ = false;
};

// Ties this process's life to its parent's, and keeps the machine clean and the parent safe.
void settle(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it died before the line above
  signal(SIGINT, SIG_IGN);            // Ctrl-C is the parent's to handle
  signal(SIGPIPE, SIG_IGN);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  // When memory ends, the kernel should take the worker and not the parent.
  std::ofstream("/proc/self/oom_score_adj") << "500";
}

}  // namespace

int worker_main(int argc, char** argv) {
  if (argc < 3 || fcntl(kSocket, F_GETFD) < 0) {
    std::fputs("--worker is how roundhouse starts its own workers; it is of no use by hand\n", stderr);
    return exit_status(RH_INVALID_ARGUMENT);
  }
  settle(static_cast<pid_t>(std::strtol(argv[2], nullptr, 10)));
  // Never destroyed: plugins may log from their threads until the process ends.
  auto* worker = new Worker;
  worker->run();
}

}  // namespace roundhouse::host
