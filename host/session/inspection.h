// SPDX-License-Identifier: Apache-2.0
// What the engine that would run a model says of its files, before anything is loaded.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "host/registry/registry.h"
#include "host/store/model_catalogue.h"
#include "host/task/model_problem.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {

struct InspectionResult {
  std::string engine;      // that looked; empty: none did
  std::string not_looked;  // why none did: "no engine runs 'X'"
  std::vector<ModelProblem> problems;
};

// Asks the engine that `generate` would take for the directory, in a process of its own. What routing would
// refuse of the model (a type of weights that no engine reads) is a problem as well. Throws ENGINE_CRASHED,
// TIMEOUT, ... of that engine, CANCELLED.
InspectionResult inspect_directory(const ModelDirectory& directory, Registry& registry,
                                   const ClientOptions& options, const std::atomic<bool>& cancelled);

// The problems as errors in the words of `generate`, which name the engine.
std::vector<Error> errors_of(const InspectionResult& result);

}  // namespace roundhouse::host
