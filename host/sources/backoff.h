// SPDX-License-Identifier: Apache-2.0
// How long one goes on with a server that fails for a passing reason.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "host/transport/http.h"

namespace roundhouse::host {

// An answer that may be another one later: 429, 500, 502, 503 or 504. SOURCE_REJECTED.
class SourceBusy : public Error {
 public:
  SourceBusy(const HttpResponse& response, const std::string& message);
  // What the server has asked for in Retry-After.
  std::optional<std::chrono::milliseconds> after() const { return after_; }

 private:
  std::optional<std::chrono::milliseconds> after_;
};
bool is_busy(unsigned status);

// Belongs to one piece of work and one thread.
class Backoff {
 public:
  // `cancelled` may be empty.
  explicit Backoff(std::function<bool()> cancelled) : cancelled_(std::move(cancelled)) {}

  // To be called in a handler of `error`: waits a moment, longer after each failure in a row, so that the
  // work can be tried again. Rethrows what is being handled when it is not of a passing kind
  // (SOURCE_UNREACHABLE, but for names that are not known and certificates that are not trusted; SourceBusy,
  // unless it asks for more than a minute) or the fifth in a row. Throws CANCELLED.
  void wait_after(const Error& error);
  // The work got on: earlier failures do not count.
  void progressed() { failures_ = 0; }

 private:
  std::function<bool()> cancelled_;
  unsigned failures_ = 0;
};

// Runs `attempt` until it returns; `backoff` is for one piece of work.
template <class Attempt>
auto with_retries(Backoff backoff, Attempt attempt) {
  for (;;) {
    try {
      return attempt();
    } catch (const Error& error) {
      backoff.wait_after(error);
    }
  }
}

}  // namespace roundhouse::host
