// SPDX-License-Identifier: Apache-2.0
// Measuring engines, so that routing knows which is faster here.
#pragma once

#include <string>
#include <vector>

#include "host/registry/registry.h"
#include "host/worker/engine_client.h"
#include "host/worker/rate_cache.h"

namespace roundhouse::host {

// Puts what the cache has into the records of engines on the processor. Starts nothing.
void read_rates(Registry& registry, const RateCache& cache, std::uint32_t threads);

struct MeasureOptions {
  std::vector<std::string> engines;  // by id; empty: all that can be used and may be chosen unasked
  bool afresh = false;               // also those that are known
};

// Measures those that nothing is known of, in workers, one after the other in several rounds, so that what
// else the machine does slows all of them alike; takes the best of each, and keeps it. An engine that fails
// at it has a `problem` and no rates, which is kept as well; one that does not even load is left to whoever
// uses it. Returns whether anything was measured.
bool measure_rates(Registry& registry, const RateCache& cache, const ClientOptions& client,
                   const MeasureOptions& options = {});

}  // namespace roundhouse::host
