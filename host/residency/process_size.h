// SPDX-License-Identifier: Apache-2.0
// Memory as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace roundhouse::host {

struct ProcessSize {
  std::uint64_t resident = 0;   // bytes; 0 = there is no such process
  std::uint64_t anonymous = 0;  // of these, what no file stands behind: only the end of the process frees it
};
ProcessSize process_size(pid_t process);

// What this process and its children may take now: what the machine has available, or a control group's limit
// where that is less.
std::uint64_t available_memory();

}  // namespace roundhouse::host
