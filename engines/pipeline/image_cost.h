// SPDX-License-Identifier: Apache-2.0
// What an image would take in memory and time, without computing it.
#pragma once

#include <cstdint>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/pipeline/memory_plan.h"
#include "engines/tensor/run.h"

namespace engines {

class RecordingKernels;

struct StageCost {
  Stage stage{};
  double seconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_bytes = 0;   // of the process, as far as it is resident
  std::vector<MemoryPart> parts;  // of the peak, largest first
};

struct ImageCost {
  std::vector<StageCost> stages;  // load, encode, denoise, decode
  std::uint64_t held_bytes = 0;   // resident after the image
  std::vector<MemoryPart> held_parts;
};

// How a cost is found: the model runs on kernels that only take notes, and slices of what was noted are timed
// on those that would do the work. All must outlive the pipeline.
struct CostProbe {
  RecordingKernels& notes;
  Kernels& kernels;
  double open_seconds = 0;  // how long opening the pipeline took
};

}  // namespace engines
