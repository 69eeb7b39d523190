// SPDX-License-Identifier: Apache-2.0
// What every watch between a plugin and a caller's sink has: what the plugin misused, what the caller threw.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "roundhouse/ext/text.h"
#include "roundhouse/status.h"

namespace roundhouse::host {

// As much of a checked record as both sides know; what the plugin's SDK did not have yet is 0.
template <class Record>
Record known_part(const Record& record) {
  Record copy{};
  std::memcpy(&copy, &record, std::min<std::size_t>(record.struct_size, sizeof copy));
  copy.struct_size = sizeof copy;
  return copy;
}

// Made on the thread that calls the plugin; lives for the call. What is kept here may come from any thread.
class SinkWatch {
 public:
  SinkWatch(const SinkWatch&) = delete;
  SinkWatch& operator=(const SinkWatch&) = delete;

  // Throws what the caller's functions threw, and the refusal of a result (by the watch or by the caller's
  // sink): they come before what the plugin says of it.
  void rethrow_refusal() const;
  // Throws when a callback was misused. To be asked after the plugin's success.
  void rethrow_misuse() const;

 protected:
  explicit SinkWatch(std::string engine) : engine_(std::move(engine)) {}
  ~SinkWatch() = default;

  const std::string& engine() const { return engine_; }

  // Runs checks of what a plugin handed over, or a function of the caller; what it throws is kept. False: it
  // threw.
  template <class Work>
  bool keep_misuse(Work&& work) {
    return keep(misuse_, std::forward<Work>(work));
  }
  template <class Work>
  bool keep_refusal(Work&& work) {
    return keep(refusal_, std::forward<Work>(work));
  }
  // The same for a function whose failure the plugin hears of.
  template <class Work>
  rh_status answer(rh_error* error, Work&& work);

  bool refused() const;
  // Throws ENGINE_BROKEN on another thread than that of the call.
  void check_thread(const char* callback) const;
  // What the caller's `cancelled` answers; to stop, once something was refused.
  std::int32_t ask_cancelled(std::int32_t (*cancelled)(void*), void* context);
  // Throws the error that the caller's sink returned for `what`, such as "the image".
  static void check_taken(const char* what, rh_status status, const rh_error& refusal);

 private:
  template <class Work>
  bool keep(std::exception_ptr& slot, Work&& work) {
    try {
      work();
      return true;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!slot) slot = std::current_exception();
      return false;
    }
  }
  rh_status tell_refusal(rh_error* error) const;

  std::string engine_;
  std::thread::id thread_ = std::this_thread::get_id();
  mutable std::mutex mutex_;  // guards
  std::exception_ptr refusal_;
  std::exception_ptr misuse_;
};

template <class Work>
rh_status SinkWatch::answer(rh_error* error, Work&& work) {
  return keep_refusal(std::forward<Work>(work)) ? RH_OK : tell_refusal(error);
}

// Throws ENGINE_BROKEN for text that is not there, is longer or is not UTF-8.
void check_view(const std::string& engine, const char* rule, const std::string& name,
                const rh_text_view& text, std::uint64_t longest);

}  // namespace roundhouse::host
