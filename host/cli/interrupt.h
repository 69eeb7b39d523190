// SPDX-License-Identifier: Apache-2.0
// Ctrl-C: the one thing that is global to the process, as signals are.
#pragma once

#include <atomic>

namespace roundhouse::host {

// From now on SIGINT and SIGTERM end the process at once with the exit status of CANCELLED, after the one
// object that --json promises where `json` says so. Workers end with their parent.
void leave_on_interrupt(bool json);

// From now on the first SIGINT or SIGTERM sets the flag that is returned. One that follows within a fifth of
// a second counts as the same: `timeout` and terminals signal the process and its group. A later one ends the
// process.
const std::atomic<bool>& watch_interrupts();

// Whether a signal was noted since watch_interrupts. Never true before.
bool interrupt_noted();
const std::atomic<bool>& interrupt_flag();  // the same, for who waits

// To be called before an object of --json is written: from then on a signal writes none. Does not return
// where a signal has already written its own.
void claim_standard_output();

}  // namespace roundhouse::host
