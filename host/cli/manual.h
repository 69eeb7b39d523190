// SPDX-License-Identifier: Apache-2.0
// Manual pages, made of the tables that the command line is read by: a flag that exists is in them.
#pragma once

#include <filesystem>

#include "host/cli/flags.h"

namespace roundhouse::host {

// roundhouse.1, and roundhouse-COMMAND.1 for every command, into a directory, which is made where it is not
// there. Returns how many. Throws IO_ERROR.
std::size_t write_manual(const FlagTable& program, const std::string& version,
                         const std::filesystem::path& directory);

}  // namespace roundhouse::host
