// SPDX-License-Identifier: Apache-2.0
// What an engine says of models that are taken in.
#pragma once

#include "host/cli/program.h"
#include "host/session/inspection.h"
#include "host/store/store.h"

namespace roundhouse::host {

// Asks the engine that `generate` would take.
InspectionResult inspect_by_engine(const Program& program, const ModelDirectory& directory,
                                   const std::atomic<bool>& cancelled);
// The same for imports: throws the first problem. Borrows `program`.
CancellableCheck engine_check(const Program& program);

}  // namespace roundhouse::host
