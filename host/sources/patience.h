// SPDX-License-Identifier: Apache-2.0
// How long one goes on with a server that fails for a passing reason.
#pragma once

#include <functional>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Belongs to one piece of work and one thread.
class Patience {
 public:
  // `cancelled` may be empty.
  explicit Patience(std::function<bool()> cancelled) : cancelled_(std::move(cancelled)) {}

  // To be called in a handler of `error`: waits a moment, longer after each failure in a row, so that the
  // work can be tried again. Rethrows what is being handled when it is not of a passing kind
  // (SOURCE_UNREACHABLE, but for names that are not known and certificates that are not trusted) or the fifth
  // in a row. Throws CANCELLED.
  void wait_after(const Error& error);
  // The work got on: earlier failures do not count.
  void progressed() { failures_ = 0; }

 private:
  std::function<bool()> cancelled_;
  unsigned failures_ = 0;
};

}  // namespace roundhouse::host
