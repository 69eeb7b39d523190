// SPDX-License-Identifier: Apache-2.0
// The flags of `roundhouse bench`, and the cases that they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/flags.h"
#include "host/session/session.h"

namespace roundhouse::host {

struct BenchFlags {
  std::vector<std::string> engines, sizes, weights, threads, stages;
  std::optional<std::string> model, width, height, steps, guidance, runs, seed, memory_limit;
  std::vector<std::string> engine_options, model_options;
};

void declare_bench_flags(FlagTable& command, BenchFlags& flags);

// One thing to measure: the engine is chosen later, as "all that can" depends on the rest.
struct BenchCase {
  GenerateRequest request;
  std::uint32_t threads = 0;  // 0 = all processors that the program may use
};

// Every size with every form of weights and every number of threads. Throws INVALID_ARGUMENT for a value that
// is no number, a size that is not WIDTHxHEIGHT, a stage that there is not.
std::vector<BenchCase> bench_cases(const BenchFlags& flags);

std::int64_t bench_runs(const BenchFlags& flags);
// The stages to show, in their order.
std::vector<std::string> bench_stages(const BenchFlags& flags);

}  // namespace roundhouse::host
