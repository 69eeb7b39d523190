// SPDX-License-Identifier: Apache-2.0
// The host's end of a worker: one process, one socket, several calls at once.
//
// A thread of its own reads what the worker sends and sorts it by calls; each call is followed by the thread
// that made it. In each call the worker may send as many bytes of events as it has credit for, and gets new
// credit when they have been read: a caller who is slow slows its own call alone, and nothing is queued
// without bound. A worker that sends what belongs to no call is killed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/worker/engine_client.h"
#include "host/worker/frame.h"
#include "host/worker/printed_output.h"
#include "host/worker/process.h"

namespace roundhouse::host {

// A call under way, owned by its thread. All but the constants is guarded by the connection.
struct OngoingCall {
  using Time = std::chrono::steady_clock::time_point;

  const Call& call;
  const int wake;  // an eventfd that is written when something has come
  std::uint32_t id = 0;
  std::deque<Frame> frames = {};    // events, then the answer
  std::int64_t credit = kCredit;    // bytes of events that may still come
  std::uint64_t read_bytes = 0;     // of events, not credited yet
  Time heard = Time::clock::now();  // the last sign of life
  bool was_heard = false;
};

// All functions may be called from any thread. Those that write throw FrameError when the worker takes
// nothing until the deadline, or is gone.
class WorkerConnection {
 public:
  // Starts nothing yet.
  WorkerConnection(const EngineManifest& manifest, const ClientOptions& options);
  // Ends the worker.
  ~WorkerConnection();
  WorkerConnection(const WorkerConnection&) = delete;
  WorkerConnection& operator=(const WorkerConnection&) = delete;

  // Sends the request, to a worker that is started where there is none. Throws Error when it cannot be
  // started, or has ended.
  void begin(OngoingCall& call, const Deadline& deadline);
  void cancel(const OngoingCall& call, const Deadline& deadline);
  // The next of its frames that has come.
  std::optional<Frame> next(OngoingCall& call);
  // Events have been dealt with: the worker may send others.
  void give_credit(OngoingCall& call, const Deadline& deadline);
  OngoingCall::Time heard(const OngoingCall& call) const;
  // To be called once after `begin`, whatever came of it. Whether the worker gave any sign of life in it.
  bool end(OngoingCall& call) noexcept;

  // Whether nothing more can come.
  bool is_lost() const { return lost_.load(); }
  // Why: how the worker ended, or what it sent.
  Error reason(const std::string& phase);
  // Logs where the worker's threads are, within a second or so; of a worker that hangs.
  void log_stacks(const std::string& phase);
  // Kills the worker because of one call; `why` is for the others.
  void kill(const std::string& why);
  // The same because of what no worker sends.
  void kill_for_garbage(const std::string& what);

  // Logs what was printed meanwhile; the last line that a worker wrote to standard error before it was lost.
  std::string report_output(const std::string& phase);
  void add_remarks(EngineReport& report) const;
  // Ends the processes that the worker has left behind, and names them.
  std::vector<std::string> end_strays();

  const std::string& engine() const { return manifest_.id; }
  bool alive() const;
  pid_t process() const noexcept;
  void send_kill() noexcept;

 private:
  struct PrivateTexts {
    std::uint32_t call = 0;
    std::shared_ptr<const std::vector<std::string>> texts;
    bool ended = false;
  };

  void start();
  void read();
  void sort(Frame frame);
  void log(const Frame& frame);
  std::uint64_t most_payload(const FrameHeader& header) const;
  void lose(const std::string& garbage);
  std::vector<std::string> private_texts() const;

  const EngineManifest manifest_;
  const ClientOptions options_;
  std::mutex start_mutex_;
  std::unique_ptr<WorkerProcess> process_;        // once there is one, it stays
  std::atomic<WorkerProcess*> started_{nullptr};  // process_
  std::uint64_t memory_kills_ = 0;                // before the worker was started
  FrameWriter writer_;
  std::thread reader_;
  std::atomic<bool> lost_{false};

  std::mutex end_mutex_;              // guards
  std::optional<bool> ended_itself_;  // after the connection was closed

  mutable std::mutex print_mutex_;  // guards
  PrintedOutput printed_{manifest_.id, options_};
  std::string last_words_;

  mutable std::mutex mutex_;                     // guards all below
  std::map<std::uint32_t, OngoingCall*> calls_;  // that have no answer
  std::uint32_t last_call_ = 0;
  std::string garbage_, killed_because_;
  bool told_ = false;  // somebody has been told why the worker is gone
  // Of the calls under way and of the last ones that ended: engines may log a little late.
  std::deque<PrivateTexts> private_texts_;
};

}  // namespace roundhouse::host
