// SPDX-License-Identifier: Apache-2.0
// Processes that a plugin starts and leaves behind: no end of a worker's group reaches one that has a session
// of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace roundhouse::host {

// The children of a process, in the order in which they became so; none where the kernel does not say. Any
// thread.
std::vector<pid_t> children_of(pid_t process);
// Whether it has ended, and its parent has not asked how. Also true for what there is no more.
bool is_zombie(pid_t process);

// "helper (1234)".
std::string process_name(pid_t process);

// Makes this process the parent of what its children leave behind. Any thread; once is enough.
void adopt_strays();

// What is in the environment of a worker, and by that of all that come of it: "ROUNDHOUSE_WORKER=<number of
// this process>.<number of the worker>". Another each time.
std::string new_worker_mark();

// Kills and reaps the children of this process that carry the mark, and what they had started, `worker`
// excepted; 0: none excepted. Returns their names. Any thread.
std::vector<std::string> end_strays(const std::string& mark, pid_t worker) noexcept;

}  // namespace roundhouse::host
