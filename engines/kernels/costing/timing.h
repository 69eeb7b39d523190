// SPDX-License-Identifier: Apache-2.0
// How long noted work would take on given kernels, found by timing a slice of each shape.
#pragma once

#include <map>

#include "engines/kernels/costing/recording_kernels.h"

namespace engines {

// Times each shape once and remembers it. Values are made up and weights stay in caches where they fit, which
// the real ones do not; slices are cut so that this matters little. One thread; uses the kernels' own.
class WorkTimer {
 public:
  explicit WorkTimer(Kernels& kernels) : kernels_(kernels) {}

  // Shapes that make up less than a thousandth of `work` count at the rate of the rest.
  double seconds(const RecordingKernels::Work& work);

 private:
  double seconds_per_operation(const OperationShape& shape);
  double seconds_per_byte();

  Kernels& kernels_;
  std::map<OperationShape, double> known_;
  double per_byte_ = 0;
};

}  // namespace engines
