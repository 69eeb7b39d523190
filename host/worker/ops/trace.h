// SPDX-License-Identifier: Apache-2.0
// One image with what every stage of it computed (rh.trace/1).
#pragma once

#include <functional>

#include "host/task/image_task.h"
#include "host/task/model_source.h"
#include "host/task/trace_tensor.h"
#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

struct TraceTask {
  ModelSource model;
  ImageTask image;
};

// The host's end: tensors in the order of the computation, on this thread. Throws CAPABILITY_UNSUPPORTED
// where the engine cannot tell.
void trace(EngineClient& client, const TraceTask& task, const std::function<void(TraceTensor)>& seen);

// The worker's.
Message work_trace(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const TraceTask& task);
template <>
TraceTask decode(const std::string& json);
// The tensor but its data, which is the payload.
std::string encode(const TraceTensor& tensor);
template <>
TraceTensor decode(const std::string& json);

}  // namespace roundhouse::host
