// SPDX-License-Identifier: Apache-2.0
// `roundhouse bench text`: how fast a model reads and writes.
#pragma once

#include "host/app/bench_text.h"
#include "host/cli/engine_flags.h"
#include "host/cli/program.h"
#include "host/cli/report.h"

namespace roundhouse::host {

struct BenchTextFlags : EngineFlags {
  std::optional<std::string> prompt_tokens, tokens, runs, context;
  std::vector<std::string> at_once;
};

void declare_bench_text_flags(FlagTable& command, BenchTextFlags& flags);
// What is measured is told on standard error, unless `json`.
TextBenchReport bench_text(const Program& program, const BenchTextFlags& flags, bool json);

std::string bench_text_text(const TextBenchReport& report);
OrderedJson bench_text_json(const TextBenchReport& report);

}  // namespace roundhouse::host
