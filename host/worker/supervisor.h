// SPDX-License-Identifier: Apache-2.0
// The process between the host and a worker. It takes over what a plugin leaves behind, also with a session
// of its own, and ends all of it together with the worker: also when the host is killed.
#pragma once

#include <sys/types.h>

namespace roundhouse::host {

// Splits this process, which `host` has started and which has one thread. The child returns: it is the
// worker, in a process group of its own, and is killed when its parent dies. The parent stays as its
// supervisor and never returns: SIGTERM, the end of `host` and the end of the worker make it kill all that
// there is below it; then it ends as the worker did. It keeps no descriptor open, and in lists of processes
// `role` ("--worker") of its command line is "--keeper".
void split_off_supervisor(pid_t host, char* role);

// The worker of that supervisor while it lives: the first of its children. 0: there is none (yet).
pid_t worker_of(pid_t supervisor);

}  // namespace roundhouse::host
