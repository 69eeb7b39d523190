// SPDX-License-Identifier: Apache-2.0
// A map too large for memory, read as if it were there.
#pragma once

#include <functional>

#include "engines/kernels/kernels.h"
#include "engines/vae/activations.h"
#include "engines/vae/decode_plan.h"

namespace engines {

// Rows are made when they are read. Those that the plan keeps are made once; the others at most once in each
// pass over the map from top to bottom, also where one strip's halo is a row of the strip before.
class MapRows {
 public:
  // Makes rows `first` and following, as many as there are in `rows`. The same bits each time.
  using Make = std::function<void(std::int64_t first, Planes rows)>;

  // What is made a second time is not counted by `kernels`, which `make` uses.
  MapRows(Kernels& kernels, MemoryCount& memory, const RowPlan& plan, Make make);

  // Rows first..first+count-1, at most a strip and two rows, unless all rows are kept. The view ends with the
  // next call. Within a pass neither `first` nor the end goes back.
  Strip rows(std::int64_t first, std::int64_t count);
  // The same with one row above and below, where the map has them: what a kernel of 3 sees.
  Strip around(std::int64_t first, std::int64_t count);

  const RowPlan& plan() const { return plan_; }

 private:
  void make(std::int64_t first, Planes rows);
  void move_window(std::int64_t first);

  Kernels& kernels_;
  RowPlan plan_;
  Make make_;
  Activation kept_;
  Activation window_;
  std::int64_t filled_ = 0;  // rows of kept_
  std::int64_t made_ = 0;    // rows that have been made at least once
  // The rows of the map that are in window_.
  std::int64_t window_first_ = 0;
  std::int64_t window_end_ = 0;
};

void copy_rows(Planes to, ConstPlanes from);

}  // namespace engines
