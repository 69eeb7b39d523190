// SPDX-License-Identifier: Apache-2.0
// Where an engine opens a model from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/task/engine_option.h"

namespace roundhouse::host {

// The plain values of rh_model_source.
struct ModelSource {
  std::filesystem::path directory;       // absolute; empty for modelless engines
  std::string architecture;              // likewise
  std::uint64_t memory_limit_bytes = 0;  // for the model and its work together; 0 = none is known
  std::vector<EngineOption> options;
};

}  // namespace roundhouse::host
