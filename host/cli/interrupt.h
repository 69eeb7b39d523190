// SPDX-License-Identifier: Apache-2.0
// Ctrl-C: the one thing that is global to the process, as signals are.
#pragma once

#include <atomic>

namespace roundhouse::host {

// From now on SIGINT and SIGTERM end the process at once with the exit status of CANCELLED. Workers end with
// their parent.
void leave_on_interrupt();

// From now on the first SIGINT or SIGTERM sets the flag that is returned, and the second one ends the
// process.
const std::atomic<bool>& watch_interrupts();

}  // namespace roundhouse::host
