// SPDX-License-Identifier: Apache-2.0
// Writing a model's weights in another type or format (rh.convert/1).
#pragma once

#include <vector>

#include "host/task/convert_task.h"
#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

// The host's end. Throws CAPABILITY_UNSUPPORTED where the engine has no conversions; what `seen` throws
// cancels it.
ConvertResult convert(EngineClient& client, const ConvertTask& task, const ConvertProgress& seen = {});

// The worker's.
Message work_convert(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const ConvertTask& task);
std::string encode(const ConvertEvent& event);
std::string encode(const ConvertResult& result);  // without the tensors: they are the payload
std::vector<std::uint8_t> encode_tensors(const std::vector<ConvertedTensor>& tensors);
template <>
ConvertTask decode(const std::string& json);
template <>
ConvertEvent decode(const std::string& json);
template <>
ConvertResult decode(const std::string& json);
// Throws FrameError as decode does.
std::vector<ConvertedTensor> decode_tensors(const std::vector<std::uint8_t>& payload);

}  // namespace roundhouse::host
