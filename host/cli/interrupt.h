// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and its like: the one thing that is global to the process, as signals are.
#pragma once

#include <atomic>

namespace roundhouse::host {

// From now on SIGINT and SIGTERM end the process at once with 128 and the signal's number as exit status
// (130, 143), after the one object that --json promises where `json` says so. Workers end with their parent.
void leave_on_interrupt(bool json);

// From now on the first SIGINT or SIGTERM sets the flag that is returned. One that follows within a fifth of
// a second counts as the same: `timeout` and terminals signal the process and its group. A later one ends the
// process.
const std::atomic<bool>& watch_interrupts();

// Whether a signal was noted since watch_interrupts. Never true before.
bool interrupt_noted();
const std::atomic<bool>& interrupt_flag();  // the same, for who waits

// Whether SIGINT was noted since the last call, for whom it ends one piece of work and not the program: it is
// forgotten, and the next one is noted again. SIGTERM stays noted.
bool take_interrupt();

// The exit status of what the signal that was noted has ended: 130 or 143. CANCELLED's where none was.
int interrupted_status();

// From now on SIGHUP of another process sets a flag; that of a terminal which closes counts as SIGTERM, as
// nobody is there any more to end what ran in its foreground.
void watch_hangups();
// Whether SIGHUP came since the last call.
bool take_hangup();

// To be called before an object of --json is written: from then on a signal writes none. Does not return
// where a signal has already written its own.
void claim_standard_output();

}  // namespace roundhouse::host
