// SPDX-License-Identifier: Apache-2.0
// What a loaded engine and an opened model say of themselves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/manifest/manifest.h"
#include "host/task/facts.h"

namespace roundhouse::host {

// What a loaded plugin says of itself: the truth, where it differs from the manifest.
struct EngineReport {
  std::string id, name, vendor, version, description, maturity;
  std::int32_t score = 0;
  Capabilities capabilities;
  Limits limits;
  Facts facts;                       // device, threads, simd, ...
  std::vector<std::string> remarks;  // e.g. "printed 12 bytes to standard output (rule P28)"
};

// What came of opening a model.
struct OpenResult {
  EngineReport engine;
  Facts model;                 // architecture, dtype.encode, ...
  std::uint32_t capacity = 1;  // calls of the model that the engine takes at once
  double load_milliseconds = 0;
  std::uint64_t peak_memory_bytes = 0;
};

}  // namespace roundhouse::host
