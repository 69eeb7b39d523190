// SPDX-License-Identifier: Apache-2.0
#include "host/task/estimate.h"

#include <algorithm>

namespace roundhouse::host {
namespace {

using Bytes = std::map<std::string, std::uint64_t>;

void raise(Bytes& peaks, const std::vector<MemoryPart>& parts) {
  Bytes sums;
  for (const MemoryPart& part : parts)
    sums[part.device] += part.bytes;
  for (const auto& [device, bytes] : sums)
    peaks[device] = std::max(peaks[device], bytes);
}

}  // namespace

std::map<std::string, std::uint64_t> peaks_by_device(const Estimate& estimate) {
  Bytes peaks;
  for (const StageEstimate& stage : estimate.stages)
    raise(peaks, stage.memory);
  raise(peaks, estimate.held_memory);
  return peaks;
}

}  // namespace roundhouse::host
