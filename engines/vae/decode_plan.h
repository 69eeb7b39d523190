// SPDX-License-Identifier: Apache-2.0
// How the large maps of a decode share the memory that it may use: known from sizes alone, before any work.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engines {

struct MapShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::size_t row_bytes() const { return static_cast<std::size_t>(channels * width) * sizeof(float); }
  std::size_t bytes() const { return row_bytes() * static_cast<std::size_t>(height); }
  MapShape enlarged() const { return {channels, 2 * height, 2 * width}; }
};

// A map that is made and read in strips. Its first `kept` rows stay in memory; the rows below are made again
// each time that they are read, in a window that moves down the map.
struct RowPlan {
  MapShape map;
  std::int64_t strip = 0;  // rows at a time
  std::int64_t kept = 0;

  bool whole() const { return kept == map.height; }
  // A strip and one row above and below it.
  std::int64_t window_rows() const;
  // Of kept rows and window.
  std::size_t bytes() const;
};

// A plan and the most bytes that are alive while it is followed.
struct BlockPlan {
  RowPlan rows;
  std::size_t peak = 0;
};

// A resnet that changes `x` in place, and the map between its convolutions.
BlockPlan plan_resnet(const MapShape& x, std::size_t budget);
// `small` enlarged, and from that a resnet with another number of channels, whose result is `out`. The plan
// is that of the enlarged map.
BlockPlan plan_enlarged_resnet(const MapShape& small, const MapShape& out, std::size_t budget);
// `map` is made strip by strip from one that stays.
RowPlan plan_window(const MapShape& map, std::int64_t strip);
// Rows at a time of a map of any of the kinds above.
std::int64_t strip_rows(const MapShape& map);

}  // namespace engines
