// SPDX-License-Identifier: Apache-2.0
// A child process of this program: started, watched, listened to, and ended for sure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/worker/file_descriptor.h"

namespace roundhouse::host {

// What a child has printed since it was last asked.
struct Printed {
  std::uint64_t bytes = 0;
  std::string text;  // the first part of it
};

class WorkerProcess {
 public:
  // How long a child may take to end in order once the connection is closed.
  static constexpr std::chrono::milliseconds kGoodbye{2000};

  struct Setup {
    std::filesystem::path executable;  // started as: executable --worker <pid of this process> <label>
    std::string label;                 // for people who look at a list of processes
    std::vector<std::pair<std::string, std::string>> environment;  // on top of this process's own
  };
  // Starts the child, which splits into a supervisor and the worker: its end of the socket on descriptor 3,
  // standard input from /dev/null, standard output and standard error caught, a pipe for stacks on descriptor
  // 4, every other descriptor closed, a process group of its own (so that Ctrl-C reaches only the parent),
  // default signals. Throws Error INTERNAL when it cannot be started.
  explicit WorkerProcess(const Setup& setup);
  // Closes the connection, which tells the child to end; kills it when it has not ended after kGoodbye.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int socket() const { return socket_.get(); }
  // Kills the worker and all that it has started.  [any-thread]
  void kill();
  // The same without waiting for it.  [any-thread]
  void send_kill() noexcept;
  // The worker's number while it lives, else 0.  [any-thread]
  pid_t living() noexcept;
  // Where its threads are, a line for each (stacks.h), within `limit`.  [any-thread]
  std::vector<std::string> stacks(std::chrono::milliseconds limit);
  // Whether the child holds its end of the connection.  [any-thread]
  bool is_connected() const noexcept;
  // Whether the child has ended within that time.  [any-thread]
  bool wait(std::chrono::milliseconds timeout);
  // The status of waitpid(2) once it has ended; none while it lives, and when this process ignores SIGCHLD,
  // so that the kernel keeps none.
  std::optional<int> exit_status();
  // Ends processes that the child has left behind; names and numbers. They end with it at the latest.
  // [any-thread]
  std::vector<std::string> end_strays() noexcept;
  // Takes what was printed.  [any-thread]
  Printed take_output() { return take(output_); }
  Printed take_errors() { return take(errors_); }

 private:
  struct Stream {
    FileDescriptor pipe;
    Printed printed;
  };
  struct ChildEnds {
    FileDescriptor socket, output, errors, stacks;
  };
  void keep(const Setup& setup, ChildEnds ends);
  void reap_worker() noexcept;
  pid_t find_worker() noexcept;
  static void await_children(pid_t worker) noexcept;
  void drain(Stream& stream);
  Printed take(Stream& stream);
  bool reap();

  const std::string mark_;  // of the child and all that come of it
  FileDescriptor socket_;
  std::mutex stacks_mutex_;  // guards
  FileDescriptor stacks_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  Stream output_, errors_;
  int start_error_ = 0;  // errno of the start
  pid_t pid_ = 0;        // of the supervisor
  pid_t worker_ = 0;     // once it was seen
  bool ended_ = false;
  std::optional<int> status_;
  // Starts the child and stays until it has ended: the kernel takes the end of the thread that started a
  // child for the death of its parent (PR_SET_PDEATHSIG).
  std::thread keeper_;
};

}  // namespace roundhouse::host
