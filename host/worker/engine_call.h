// SPDX-License-Identifier: Apache-2.0
// What every call into a plugin's extension needs: options in C's form, and a place for what its callbacks
// refuse.
#pragma once

#include <atomic>
#include <exception>
#include <string>
#include <vector>

#include "host/task/engine_option.h"
#include "host/worker/call.h"
#include "roundhouse/error.hpp"
#include "roundhouse/roundhouse.h"

namespace roundhouse::host {

// Options in C's form; borrows from what it was made of.
class OptionRecords {
 public:
  explicit OptionRecords(const std::vector<EngineOption>& options);
  OptionRecords(const OptionRecords&) = delete;
  OptionRecords& operator=(const OptionRecords&) = delete;
  const rh_options* list() const { return &list_; }

 private:
  std::vector<rh_option> items_;
  rh_options list_{};
};

// What a callback threw, kept so that it does not cross the plugin. All but `failed` belong to one thread.
class KeptFailure {
 public:
  // Runs the work of a callback, unless one has thrown before.
  template <typename Work>
  void keep(Work&& work) noexcept {
    if (failure_) return;
    try {
      work();
    } catch (...) {
      failure_ = std::current_exception();
      failed_.store(true);
    }
  }
  // Any thread.
  bool failed() const noexcept { return failed_.load(); }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
  std::atomic<bool> failed_{false};
};

// What a sink's `cancelled` answers; that the engine asks is a sign of life. Any thread.
inline bool asks_to_stop(CallContext& call) noexcept {
  call.tell_alive();
  return call.is_cancelled();
}

// The plugin's call. A cancelled one ends as CANCELLED even when the plugin had just finished or failed.
template <typename PluginCall>
void run_call(const CallContext& call, const char* phase, PluginCall&& plugin_call) {
  try {
    plugin_call();
  } catch (const Error& error) {
    if (call.is_cancelled()) throw Error(RH_CANCELLED, std::string("cancelled in ") + phase);
    if (error.code() != RH_CANCELLED) throw;
    throw Error(RH_ENGINE_BROKEN, std::string("returned CANCELLED in ") + phase +
                                      " although nobody had cancelled: " + error.what());
  }
  if (call.is_cancelled()) throw Error(RH_CANCELLED, std::string("cancelled in ") + phase);
}

}  // namespace roundhouse::host
