// SPDX-License-Identifier: Apache-2.0
// What an engine finds wrong with a model directory (rh.inspect/1).
#pragma once

#include <string>
#include <vector>

#include "host/task/model_problem.h"
#include "host/task/model_source.h"
#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

struct InspectTask {
  ModelSource model;
};

// The host's end: empty for a model that the engine would open. Throws CAPABILITY_UNSUPPORTED where the
// engine cannot tell.
std::vector<ModelProblem> inspect(EngineClient& client, const InspectTask& task);

// The worker's.
Message work_inspect(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const InspectTask& task);
std::string encode(const std::vector<ModelProblem>& problems);
template <>
InspectTask decode(const std::string& json);
template <>
std::vector<ModelProblem> decode(const std::string& json);

}  // namespace roundhouse::host
