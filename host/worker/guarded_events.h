// SPDX-License-Identifier: Apache-2.0
// A caller's functions, made safe to call where no exception may pass.
#pragma once

#include <exception>
#include <functional>

#include "host/worker/engine_client.h"

namespace roundhouse::host {

// Once the function has thrown it is called no more; the caller's exception waits until the call is over.
template <typename Event>
class Guarded {
 public:
  explicit Guarded(const std::function<void(const Event&)>& function) : function_(function) {}

  // False when the call is to stop.
  bool tell(const Event& event) noexcept {
    if (thrown_) return false;
    if (!function_) return true;
    try {
      function_(event);
    } catch (...) {
      thrown_ = std::current_exception();
    }
    return !thrown_;
  }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  const std::function<void(const Event&)>& function_;
  std::exception_ptr thrown_;
};
// Progress and previews of one call.
class GuardedEvents {
 public:
  explicit GuardedEvents(const CallEvents& events) : progress_(events.progress), preview_(events.preview) {}
  bool tell(const ProgressEvent& event) noexcept { return progress_.tell(event); }
  bool show(const PreviewEvent& event) noexcept { return preview_.tell(event); }
  void rethrow() const {
    progress_.rethrow();
    preview_.rethrow();
  }

 private:
  Guarded<ProgressEvent> progress_;
  Guarded<PreviewEvent> preview_;
};

}  // namespace roundhouse::host
