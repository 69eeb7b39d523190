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

#include "host/worker/engine_client.h"
#include "host/worker/frame.h"
#include "host/worker/ops/table.h"
#include "host/worker/process.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSocket = 3;
constexpr std::chrono::milliseconds kAliveInterval{200};

// The thread `listen` takes frames from the socket; the main thread, which calls `run`, works.
class Worker {
 public:
  [[noreturn]] void run() {
    std::thread([this] { listen(); }).detach();
    while (std::optional<Frame> request = next_request())
      handle(*request);
    engine_.end();
    _exit(0);
  }

 private:
  // A call as its operation sees it.
  class Context final : public CallContext {
   public:
    Context(Worker& worker, std::uint32_t call) : worker_(worker), call_(call) {}
    bool is_cancelled() const noexcept override { return worker_.cancelled_.load(std::memory_order_relaxed); }
    void tell_alive() noexcept override { worker_.tell_alive(call_); }
    void send(Message event) noexcept override {
      worker_.send({FrameType::event, call_, std::move(event.json), std::move(event.payload)});
    }

   private:
    Worker& worker_;
    const std::uint32_t call_;
  };

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
      Message message = answer_to(request);
      answer = {FrameType::reply, 0, std::move(message.json), std::move(message.payload)};
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

  Message answer_to(const Frame& request) {
    const Operation* operation = find_operation(operations(), request.operation);
    if (operation == nullptr) {
      throw Error(RH_INTERNAL, "the worker has no operation '" + request.operation + "'");
    }
    Context context(*this, request.call);
    return run_operation(*operation, engine_, {request.json, {}}, context);
  }

  // A long step is no hang as long as the engine asks whether to stop; once in a while is enough. Any thread.
  void tell_alive(std::uint32_t call) {
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
    auto last = last_alive_.load(std::memory_order_relaxed);
    if (now - last < kAliveInterval.count() || !last_alive_.compare_exchange_strong(last, now)) return;
    send({FrameType::alive, call, "", {}});
  }

  LoadedEngine engine_{[this](std::uint32_t level, const std::string& category, const std::string& text) {
    send({FrameType::log, 0, encode(LogMessage{level, category, text}), {}});
  }};                       // the main thread's
  std::uint32_t call_ = 0;  // the listener's
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
