// SPDX-License-Identifier: Apache-2.0
// The worker's side: takes requests from the socket, works at as many as its model takes at once, answers,
// and ends when the socket closes.
#include <fcntl.h>
#include <malloc.h>
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
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "host/worker/engine_client.h"
#include "host/worker/frame.h"
#include "host/worker/ops/table.h"
#include "host/worker/process.h"
#include "host/worker/protocol.h"
#include "host/worker/stacks.h"
#include "host/worker/supervisor.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSocket = 3;
constexpr std::chrono::milliseconds kAliveInterval{200};

// Writes frames to the host, from any thread.
class HostLink {
 public:
  void send(const Frame& frame) noexcept {
    try {
      writer_.write(kSocket, frame);
    } catch (const std::exception&) {
      _exit(0);  // nobody listens
    }
  }

 private:
  FrameWriter writer_;
};

// A call as its operation sees it, and as the host steers it.
class WorkerCall final : public CallContext {
 public:
  WorkerCall(HostLink& host, Frame request) : host_(host), id_(request.call), request_(std::move(request)) {}

  std::uint32_t id() const { return id_; }
  const std::string& operation() const { return request_.operation; }
  // Once.
  Message take_request() { return {std::move(request_.json), std::move(request_.payload)}; }

  bool is_cancelled() const noexcept override { return cancelled_.load(std::memory_order_relaxed); }

  // A long step is no hang as long as the engine asks whether to stop; once in a while is enough.
  void tell_alive() noexcept override {
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
    auto last = last_alive_.load(std::memory_order_relaxed);
    if (now - last < kAliveInterval.count() || !last_alive_.compare_exchange_strong(last, now)) return;
    host_.send({FrameType::alive, id(), "", {}});
  }

  // Waits for credit. A cancelled call that has none is heard by nobody.
  void send(Message event) noexcept override {
    const Frame frame{FrameType::event, id(), std::move(event.json), std::move(event.payload)};
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return credit_ > 0 || is_cancelled(); });
      if (credit_ <= 0) return;
      credit_ -= static_cast<std::int64_t>(size_of(frame));
    }
    host_.send(frame);
  }

  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_.store(true);
    changed_.notify_all();
  }
  void add_credit(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    credit_ += bytes;
    changed_.notify_all();
  }

 private:
  HostLink& host_;
  const std::uint32_t id_;
  Frame request_;
  std::atomic<bool> cancelled_{false};
  std::atomic<std::int64_t> last_alive_{0};  // ms of the steady clock
  std::mutex mutex_;                         // guards the credit
  std::condition_variable changed_;
  std::int64_t credit_ = kCredit;
};

// The thread `listen` takes frames from the socket; the main thread, which calls `run`, works, and with it as
// many others as the open model takes calls at once, less one. What needs the engine for itself is done by
// the main thread while no other call runs, so that a model which takes one call at a time sees one thread.
class Worker {
 public:
  explicit Worker(std::vector<Operation> table) : table_(std::move(table)) {}

  [[noreturn]] void run() {
    std::thread([this] { listen(); }).detach();
    work(true);
    engine_.end();
    _exit(0);
  }

 private:
  using Call = std::shared_ptr<WorkerCall>;

  // ---- the listener ----

  [[noreturn]] void listen() {
    FrameDecoder decoder;
    std::array<std::uint8_t, 65536> buffer;
    for (;;) {
      const ssize_t count = recv(kSocket, buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) close_down();
      try {
        decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
        while (std::optional<Frame> frame = decoder.next(kMaximumRequestPayload))
          take(std::move(*frame));
      } catch (const std::exception&) {
        close_down();
      }
    }
  }

  // The calls are known to the listener from the request on: a cancel may come before the work begins.
  void take(Frame frame) {
    std::unique_lock lock(mutex_);
    const auto found = calls_.find(frame.call);
    if (frame.type == FrameType::request) {
      if (calls_.size() >= capacity_) {
        lock.unlock();
        return refuse(frame.call);
      }
      const auto call = std::make_shared<WorkerCall>(host_, std::move(frame));
      calls_[call->id()] = call;
      waiting_.push_back(call);
      changed_.notify_all();
    } else if (found == calls_.end()) {
      return;  // its answer is on the way
    } else if (frame.type == FrameType::cancel) {
      found->second->cancel();
    } else if (frame.type == FrameType::credit) {
      found->second->add_credit(std::stoll(frame.json));
    }
  }

  void refuse(std::uint32_t call) {
    host_.send({FrameType::failure,
                call,
                encode(Error(RH_INTERNAL, "the worker takes no more calls at once than its model")),
                {}});
  }

  // The host is gone or done. An idle engine may end in order, within a limit; a working one is of no use.
  [[noreturn]] void close_down() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      if (!calls_.empty()) _exit(0);
      changed_.notify_all();
    }
    std::this_thread::sleep_for(WorkerProcess::kGoodbye);
    _exit(0);
  }

  // ---- those who work ----

  // Returns when the host is gone; for others than the main thread that is never.
  void work(bool is_main) {
    while (Call call = next_call(is_main)) {
      const Frame answer = answer_of(*call);
      // What the plugin printed has to be in the pipe before the host looks there.
      std::fflush(nullptr);
      {
        // Before the answer is out: the host may ask again, or close the connection, as soon as it has it.
        const std::lock_guard lock(mutex_);
        calls_.erase(call->id());
        --running_;
        alone_ = false;
        changed_.notify_all();
      }
      host_.send(answer);
    }
  }

  Call next_call(bool is_main) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return (is_main && closed_) || may_begin(is_main); });
    if (closed_) return nullptr;
    Call call = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    alone_ = needs_engine(*call);
    return call;
  }

  // The first of those that wait; nobody passes another.
  bool may_begin(bool is_main) const {
    if (waiting_.empty() || alone_ || closed_) return false;
    return !needs_engine(*waiting_.front()) || (is_main && running_ == 0);
  }

  const Operation* operation_of(const WorkerCall& call) const {
    return find_operation(table_, call.operation());
  }
  bool needs_engine(const WorkerCall& call) const {
    const Operation* operation = operation_of(call);
    return operation == nullptr || operation->access == Access::engine;
  }

  Frame answer_of(WorkerCall& call) {
    try {
      Message message = work_for(call);
      return {FrameType::reply, call.id(), std::move(message.json), std::move(message.payload)};
    } catch (const Error& error) {
      return {FrameType::failure, call.id(), encode(error), {}};
    } catch (const std::bad_alloc&) {
      return {FrameType::failure, call.id(), encode(Error(RH_OUT_OF_MEMORY, "no memory for the answer")), {}};
    } catch (const std::exception& error) {
      return {FrameType::failure, call.id(), encode(Error(RH_INTERNAL, error.what())), {}};
    }
  }

  Message work_for(WorkerCall& call) {
    const Operation* operation = operation_of(call);
    if (operation == nullptr) {
      throw Error(RH_INTERNAL, "the worker has no operation '" + call.operation() + "'");
    }
    Message answer = run_operation(*operation, engine_, call.take_request(), call);
    if (operation->access == Access::engine) set_capacity(engine_.capacity());
    return answer;
  }

  // Threads are never fewer again: those that are too many find nothing to do.
  void set_capacity(std::uint32_t capacity) {
    const std::lock_guard lock(mutex_);
    capacity_ = capacity;
    for (; threads_ < capacity; ++threads_)
      std::thread([this] { work(false); }).detach();
  }

  const std::vector<Operation> table_;
  HostLink host_;
  LoadedEngine engine_{[this](std::uint32_t level, const std::string& category, const std::string& text) {
    host_.send({FrameType::log, 0, encode(LogMessage{level, category, text}), {}});
  }};
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<std::uint32_t, Call> calls_;  // that have no answer yet
  std::deque<Call> waiting_;             // of these: that nobody works for yet
  std::uint32_t running_ = 0;
  std::uint32_t capacity_ = 1, threads_ = 1;
  bool alone_ = false;  // a call that needs the engine runs
  bool closed_ = false;
};

// Keeps the machine clean and the host safe.
void settle() {
  ::prctl(PR_SET_NAME, "rh-worker");  // it was started as /proc/self/exe, and would be listed as "exe"
  // Large buffers go back when they are freed: by itself glibc learns to keep such, and a memory limit that
  // was planned for one after the other would be exceeded.
  constexpr int kLargest = 1 << 20;  // bytes
  ::mallopt(M_MMAP_THRESHOLD, kLargest);
  signal(SIGINT, SIG_IGN);  // Ctrl-C is the parent's to handle
  signal(SIGPIPE, SIG_IGN);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  // When memory ends, the kernel should take the worker and not the parent.
  std::ofstream("/proc/self/oom_score_adj") << "500";
}

}  // namespace

int worker_main(int argc, char** argv) {
  return worker_main(argc, argv, {});
}

int worker_main(int argc, char** argv, std::span<const Operation> others) {
  if (argc < 3 || fcntl(kSocket, F_GETFD) < 0) {
    std::fputs("--worker is how roundhouse starts its own workers; it is of no use by hand\n", stderr);
    return exit_status(RH_INVALID_ARGUMENT);
  }
  split_off_supervisor(static_cast<pid_t>(std::strtol(argv[2], nullptr, 10)), argv[1]);
  settle();
  answer_with_stacks();
  std::vector<Operation> table(operations().begin(), operations().end());
  table.insert(table.end(), others.begin(), others.end());
  // Never destroyed: plugins may log from their threads until the process ends.
  auto* worker = new Worker(std::move(table));
  worker->run();
}

}  // namespace roundhouse::host
