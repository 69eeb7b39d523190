// SPDX-License-Identifier: Apache-2.0
// From the words of a command line to the targets of flag tables.
#pragma once

#include <optional>
#include <string>

#include "host/cli/flags.h"

namespace roundhouse::host {

struct CommandLine {
  std::string command;              // the one that was typed; empty: none
  std::optional<std::string> help;  // what --help or --version asked for; then nothing else counts
};

// Reads `argv` by `program`, whose flags may be typed anywhere and whose commands are the commands.
// `version` is what --version prints. Throws INVALID_ARGUMENT and UNKNOWN_OPTION, with a hint at --help.
CommandLine read_command_line(const FlagTable& program, const std::string& version, int argc, char** argv);

// "generate, engines, ...": the names of the commands.
std::string command_names(const FlagTable& program);

}  // namespace roundhouse::host
