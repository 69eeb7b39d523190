// SPDX-License-Identifier: Apache-2.0
// The one place where exceptions become errors, and where errors reach the log.
#pragma once

#include <exception>
#include <string>

#include "host/cli/program.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// An Error as it is; what the system refused (memory, threads, descriptors, files) under its own code;
// everything else as INTERNAL.
Error to_error(const std::exception& exception);

// One line of level error in the file of --log-file; nothing without such a file, or where it cannot be
// written. `message` holds no prompt.
void log_failure(const Program& program, rh_status code, const std::string& message);

}  // namespace roundhouse::host
