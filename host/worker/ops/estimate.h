// SPDX-License-Identifier: Apache-2.0
// What opening a model and making one image would cost (rh.estimate/1).
#pragma once

#include "host/task/estimate.h"
#include "host/task/image_task.h"
#include "host/task/model_source.h"
#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

struct EstimateTask {
  ModelSource model;
  ImageTask image;
};

// The host's end. Throws CAPABILITY_UNSUPPORTED where the engine cannot tell.
Estimate estimate(EngineClient& client, const EstimateTask& task);

// The worker's.
Message work_estimate(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const EstimateTask& task);
std::string encode(const Estimate& estimate);
template <>
EstimateTask decode(const std::string& json);
template <>
Estimate decode(const std::string& json);

}  // namespace roundhouse::host
