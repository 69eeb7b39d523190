// SPDX-License-Identifier: Apache-2.0
// A daemon that is measured: a child process with a home of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/cli/daemon_client.h"
#include "host/cli/program.h"

namespace roundhouse::host {

// What a daemon holds, itself and its workers.
struct DaemonFigures {
  std::uint64_t daemon_bytes = 0, worker_bytes = 0;  // resident
  std::uint64_t descriptors = 0;                     // of the daemon
  std::uint64_t processes = 0;                       // it and its workers
};

class BenchDaemon {
 public:
  // `serve --port 0` with more arguments, settings of this process's environment left out. Returns when it
  // listens. Throws INTERNAL with what it said when it ends instead, IO_ERROR where there is no room for its
  // home.
  BenchDaemon(const Program& program, const std::vector<std::string>& arguments);
  // Tells it to end, kills it when it does not within half a minute, and removes its home.
  ~BenchDaemon();
  BenchDaemon(const BenchDaemon&) = delete;
  BenchDaemon& operator=(const BenchDaemon&) = delete;

  DaemonClient client() const;
  DaemonFigures figures() const;

 private:
  void start(const Program& program, const std::vector<std::string>& arguments);
  std::string first_line(int pipe) const;
  void stop() noexcept;

  std::filesystem::path home_;
  std::string url_;
  pid_t pid_ = 0;
};

}  // namespace roundhouse::host
