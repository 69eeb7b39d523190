// SPDX-License-Identifier: Apache-2.0
// What this program offers to a plugin: rh_host with rh.log/1 and rh.threads/1. Of its log, 200 lines at once
// and 20 a second are passed on, and how many were not; a category that is not a short word is "engine".
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "host/loading/plugin.h"

namespace roundhouse::host {

// Stays where it is, and alive, until deinit has returned.
class PluginHost {
 public:
  PluginHost(std::uint32_t threads, PluginLog log);
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  const rh_host* record() const { return &record_; }
  // Never throws; any thread.
  void log(std::uint32_t level, const std::string& category, const std::string& message) const noexcept;

 private:
  static const void* get_extension(const rh_host* host, const char* id);
  static void write(const rh_host* host, std::uint32_t level, const char* category, const char* message);
  static std::uint32_t budget(const rh_host* host);
  static const PluginHost* self(const rh_host* host);

  // Whether a line may be written now, and how many were not since the last that was.
  struct Allowance {
    bool granted = false;
    std::uint64_t left_out = 0;
  };
  Allowance allow_line() const noexcept;

  std::uint32_t threads_;
  PluginLog log_;
  mutable std::mutex mutex_;  // guards the three below
  mutable double lines_;      // that may be written at once
  mutable std::chrono::steady_clock::time_point counted_ = std::chrono::steady_clock::now();
  mutable std::uint64_t left_out_ = 0;
  rh_host_log log_extension_;
  rh_host_threads threads_extension_;
  rh_host record_;
};

}  // namespace roundhouse::host
