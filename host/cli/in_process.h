// SPDX-License-Identifier: Apache-2.0
// --in-process: an engine in the program itself, for a debugger.
#pragma once

#include <string>

#include "host/cli/program.h"
#include "host/manifest/manifest.h"

namespace roundhouse::host {

// Libraries read their environment when they are loaded, some when the process begins: if the manifest asks
// for variables that are not set, sets them and runs the program again with the same arguments; then it does
// not return. `standard_input` is what was read from there already, and is there to be read again.
void ensure_engine_environment(const Program& program, const EngineManifest& manifest,
                               const std::string* standard_input);

}  // namespace roundhouse::host
