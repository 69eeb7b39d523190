// SPDX-License-Identifier: Apache-2.0
// What an image would cost, before anything is loaded (rh.estimate/1).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace roundhouse::host {

// What one part of a model takes on one device.
struct MemoryPart {
  std::string device;  // one of the engine's; "cpu" is the memory of its process
  std::string part;    // "transformer", "activations", "process"
  std::uint64_t bytes = 0;
};

struct StageEstimate {
  std::string stage;  // "load", "encode", "denoise", "decode"
  double milliseconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the engine's process
  std::vector<MemoryPart> memory = {};  // what it is made of, and what other devices hold; empty: not told
};

struct Estimate {
  std::vector<StageEstimate> stages;
  std::uint64_t held_memory_bytes = 0;  // between two images
  std::vector<MemoryPart> held_memory = {};
};

// The most that each device would hold at once, as far as the engine tells.
std::map<std::string, std::uint64_t> peaks_by_device(const Estimate& estimate);

}  // namespace roundhouse::host
