// SPDX-License-Identifier: Apache-2.0
// The one place where exceptions become errors.
#pragma once

#include <exception>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// An Error as it is; what the system refused (memory, threads, descriptors, files) under its own code;
// everything else as INTERNAL.
Error to_error(const std::exception& exception);

}  // namespace roundhouse::host
