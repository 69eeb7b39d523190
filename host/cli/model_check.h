// SPDX-License-Identifier: Apache-2.0
// What an engine says of models that are taken in.
#pragma once

#include "host/cli/program.h"
#include "host/session/inspection.h"
#include "host/store/store.h"

namespace roundhouse::host {

// Asks the engine that `generate` would take; Ctrl-C ends it.
InspectionResult inspect_by_engine(const Program& program, const ModelDirectory& directory);
// The same for imports: throws the first problem. Borrows `program`.
ModelCheck engine_check(const Program& program);

}  // namespace roundhouse::host
