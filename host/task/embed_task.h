// SPDX-License-Identifier: Apache-2.0
// Texts to turn into vectors, and what comes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/task/engine_option.h"

namespace roundhouse::host {

// The plain values of rh_embedding_request.
struct EmbedTask {
  std::vector<std::string> texts;
  std::uint32_t dimensions = 0;  // 0 = all
  bool truncate = false;         // a text beyond the window; else it is refused
  bool normalise = true;
  std::vector<EngineOption> options;
};

struct Embedding {
  std::uint32_t index = 0, tokens = 0;
  std::vector<float> values;
};

// A vector, as soon as it is there, on the thread that asked. What it throws ends the call.
using EmbeddingSeen = std::function<void(Embedding)>;

struct EmbedReport {
  std::uint64_t tokens = 0;             // of all texts
  std::uint64_t peak_memory_bytes = 0;  // of the process that the engine ran in, so far
};

}  // namespace roundhouse::host
