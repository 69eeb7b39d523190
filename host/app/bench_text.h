// SPDX-License-Identifier: Apache-2.0
// How fast a model reads and writes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/residency/one_worker.h"
#include "host/session/text_session.h"

namespace roundhouse::host {

struct TextBench {
  std::uint32_t prompt_tokens = 512;  // about: words that most tokenizers know whole
  std::uint32_t answer_tokens = 64;
  std::uint32_t runs = 3;  // the best counts
  std::vector<std::uint32_t> at_once{1, 4};
};

// Rates are tokens a second.
struct TextBenchReport {
  struct AtOnce {
    std::uint32_t requests = 0;
    double rate = 0;  // of all together, prompts included
  };
  std::string engine, device;
  Facts facts;              // of the model
  double cold_load_ms = 0;  // after the kernel was asked to forget the model's files
  double warm_load_ms = 0;
  std::uint32_t prompt_tokens = 0, answer_tokens = 0;  // as they were counted
  double prompt_rate = 0, answer_rate = 0, first_ms = 0;
  std::vector<AtOnce> at_once;
  std::uint64_t peak_memory_bytes = 0;
  std::vector<std::string> notes;
};

// What is planned is repeated with prompts of its own, greedily. `told` hears what is measured. Throws what
// WorkerSource::lend throws.
TextBenchReport bench_text(const TextPlan& plan, OneWorker& worker, const TextBench& bench,
                           const std::atomic<bool>& cancelled,
                           const std::function<void(const std::string&)>& told);

}  // namespace roundhouse::host
