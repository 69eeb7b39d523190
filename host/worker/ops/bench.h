// SPDX-License-Identifier: Apache-2.0
// Timing an engine's own matrix product (rh.bench/2).
#pragma once

#include <cstdint>
#include <string>

#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

struct BenchTask {
  std::string product;                // of operands of that type ("f32", "bf16"); empty = the engine's first
  std::uint32_t m = 0, n = 0, k = 0;  // [m, k] times [k, n]
  double seconds = 0;                 // to take about
};

// The host's end: the rate in FLOP/s. Throws CAPABILITY_UNSUPPORTED without the extension, INVALID_ARGUMENT
// for a product that the engine does not have.
double matrix_rate(EngineClient& client, const BenchTask& task);

// The worker's.
Message work_bench(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const BenchTask& task);
std::string encode(double rate);
template <>
BenchTask decode(const std::string& json);
template <>
double decode(const std::string& json);

}  // namespace roundhouse::host
