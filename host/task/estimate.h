// SPDX-License-Identifier: Apache-2.0
// What an image would cost, before anything is loaded (rh.estimate/1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace roundhouse::host {

struct StageEstimate {
  std::string stage;  // "load", "encode", "denoise", "decode"
  double milliseconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the engine's process
};

struct Estimate {
  std::vector<StageEstimate> stages;
  std::uint64_t held_memory_bytes = 0;  // between two images
};

}  // namespace roundhouse::host
