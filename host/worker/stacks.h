// SPDX-License-Identifier: Apache-2.0
// Where the threads of a hanging worker are: each writes its own stack when it is told to by a signal.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace roundhouse::host {

// The descriptor of a worker to which its threads write.
inline constexpr int kStackDescriptor = 4;

// In a worker, before any plugin is loaded: from now on its threads write their stacks to kStackDescriptor
// when they are asked.
void answer_with_stacks();

// Asks every thread of the worker; `pipe` is the other end of its descriptor, not blocking. One line for each
// stack, "2 threads in futex_wait (openblas): at a.so(work+0x1f), b.so(+0x7a0)"; of a thread that does not
// answer what the kernel says of it. Takes `limit` at most, whatever the worker does. Any thread.
std::vector<std::string> stacks_of(pid_t worker, int pipe, std::chrono::milliseconds limit);

}  // namespace roundhouse::host
