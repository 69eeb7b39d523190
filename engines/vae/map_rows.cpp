// SPDX-License-Identifier: Apache-2.0
#include "engines/vae/map_rows.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace engines {

void copy_rows(Planes to, ConstPlanes from) {
  for (std::int64_t c = 0; c < to.channels; ++c)
    std::memmove(to.plane(c), from.plane(c), static_cast<std::size_t>(to.plane_size()) * sizeof(float));
}

MapRows::MapRows(Kernels& kernels, MemoryCount& memory, const RowPlan& plan, Make make)
    : kernels_(kernels),
      plan_(plan),
      make_(std::move(make)),
      kept_(memory, plan.map.channels, plan.kept, plan.map.width),
      window_(memory, plan.map.channels, plan.whole() ? 0 : plan.window_rows(), plan.map.width) {
}

Strip MapRows::around(std::int64_t first, std::int64_t count) {
  const std::int64_t begin = std::max<std::int64_t>(0, first - 1);
  return rows(begin, std::min(plan_.map.height, first + count + 1) - begin);
}

Strip MapRows::rows(std::int64_t first, std::int64_t count) {
  const std::int64_t end = first + count;
  const std::int64_t kept = std::min(end, plan_.kept);
  if (filled_ < kept) {
    make(filled_, kept_.planes().slice_rows(filled_, kept - filled_));
    filled_ = kept;
  }
  if (end <= kept) return {kept_.planes().slice_rows(first, count), first, plan_.map.height};

  move_window(first);
  const auto below_window = [&](std::int64_t until) {
    return window_.planes().slice_rows(window_end_ - window_first_, until - window_end_);
  };
  if (window_end_ < kept) {
    copy_rows(below_window(kept), kept_.planes().slice_rows(window_end_, kept - window_end_));
    window_end_ = kept;
  }
  if (window_end_ < end) {
    make(window_end_, below_window(end));
    window_end_ = end;
  }
  return {window_.planes().slice_rows(0, count), first, plan_.map.height};
}

// Rows from `first` on that are in the window already stay.
void MapRows::move_window(std::int64_t first) {
  if (first < window_first_ || first >= window_end_) {
    window_end_ = first;
  } else if (first > window_first_) {
    const std::int64_t staying = window_end_ - first;
    copy_rows(window_.planes().slice_rows(0, staying),
              window_.planes().slice_rows(first - window_first_, staying));
  }
  window_first_ = first;
}

void MapRows::make(std::int64_t first, Planes rows) {
  std::optional<Kernels::Uncounted> again;
  if (first < made_) again.emplace(kernels_);
  make_(first, rows);
  made_ = std::max(made_, first + rows.height);
}

}  // namespace engines
