// SPDX-License-Identifier: Apache-2.0
// Where errors reach the log.
#pragma once

#include <string>

#include "host/cli/program.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// One line of level error in the file of --log-file; nothing without such a file, or where it cannot be
// written. `message` holds no prompt.
void log_failure(const Program& program, rh_status code, const std::string& message);

}  // namespace roundhouse::host
