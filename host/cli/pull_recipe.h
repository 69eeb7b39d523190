// SPDX-License-Identifier: Apache-2.0
// Models that a recipe names, fetched from where the recipe says.
#pragma once

#include <string>

#include "host/cli/program.h"

namespace roundhouse::host {

// Fetches the model of a recipe into the store when it is absent. Does nothing when it is here, and when no
// recipe with a source has that name or alias: who uses the model says what is wrong. Throws what a pull
// throws. `json`: no progress on the terminal.
void pull_if_absent(const Program& program, const std::string& model, bool json);

}  // namespace roundhouse::host
