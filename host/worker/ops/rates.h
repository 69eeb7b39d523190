// SPDX-License-Identifier: Apache-2.0
// Asking an engine how fast it multiplies (rh.rates/1).
#pragma once

#include <map>
#include <string>

#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

using RatesByWeights = std::map<std::string, double>;  // FLOP/s

// The host's end: about `seconds` for each type of weights. Throws CAPABILITY_UNSUPPORTED without the
// extension, ENGINE_BROKEN for rates that are none, TIMEOUT when all takes longer than Timeouts::rates.
RatesByWeights ask_rates(EngineClient& client, double seconds);

// The worker's.
Message work_rates(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const RatesByWeights& rates);
template <>
RatesByWeights decode(const std::string& json);

}  // namespace roundhouse::host
