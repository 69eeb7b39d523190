// SPDX-License-Identifier: Apache-2.0
// Loading a plugin and creating its engine: the first question to a worker, and what the engine says of
// itself.
#pragma once

#include "host/task/engine_report.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

// The host's end: `report` receives the answer.
Call probe_call(const EngineSetup& setup, EngineReport& report);

// The worker's.
Message work_probe(LoadedEngine& engine, const Message& request, CallContext& call);

// Everything that a worker has to know of its engine.
std::string encode(const EngineSetup& setup);
std::string encode(const EngineReport& report);
template <>
EngineSetup decode(const std::string& json);
template <>
EngineReport decode(const std::string& json);

}  // namespace roundhouse::host
