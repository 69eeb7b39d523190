// SPDX-License-Identifier: Apache-2.0
// How far work on the store's files is: bytes, rate and time left.
#pragma once

#include <memory>
#include <string>

#include "host/log/log.h"
#include "host/store/store.h"

namespace roundhouse::host {

// Draws a line on standard error where that is a terminal, and takes it off when the last copy of the
// function is gone or the work is done; without a terminal a line every ten seconds, and one where a file
// that comes from or goes elsewhere begins and ends; none with `json`. Throws
// CANCELLED once a signal was noted. `verb` begins the line: "importing".
ProgressCallback transfer_progress(const std::string& verb, bool json);

// `seen` that also writes a line into the log, at debug, for every file that work turns to.
ProgressCallback logged_transfer(ProgressCallback seen, std::shared_ptr<Log> log, const std::string& verb);

// "importing  [######..................]  3.1 GiB of 12.3 GiB  1.4 GiB/s  7 s left  transformer/config.json"
std::string transfer_text(const std::string& verb, const StoreProgress& progress, double seconds);

}  // namespace roundhouse::host
