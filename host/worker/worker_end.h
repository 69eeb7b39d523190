// SPDX-License-Identifier: Apache-2.0
// What the end of a worker process means.
#pragma once

#include <optional>
#include <string>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

struct WorkerEnd {
  std::string engine;
  std::string phase;            // "probe", "load", "generate", "bench"
  std::optional<int> status;    // of waitpid(2); none = not known
  bool memory_killed = false;   // the kernel has killed for want of memory meanwhile
  std::string last_words = {};  // the end of what it wrote to standard error
};

// ENGINE_CRASHED naming engine, signal or status, and phase; OUT_OF_MEMORY when the kernel took the memory
// back.
Error error_of(const WorkerEnd& end);

// The last line of a text that has any letters, shortened, printable.
std::string last_line(const std::string& text);

}  // namespace roundhouse::host
