// SPDX-License-Identifier: Apache-2.0
// How much of a worker a task takes.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

namespace roundhouse::host {

// In a measure of the task's own. Whoever schedules compares and scales costs, and knows no more of tasks.
struct Cost {
  std::string kind;         // of task: figures of one kind say nothing of another
  std::uint64_t units = 1;  // what memory and time grow with, at least 1

  // Spelled out: clang-tidy takes a generated comparison for a null pointer.
  bool operator<(const Cost& other) const {
    return std::tie(kind, units) < std::tie(other.kind, other.units);
  }
  bool operator==(const Cost& other) const { return kind == other.kind && units == other.units; }
};

// Among entries by cost the nearest one of the same kind; the end where there is none.
template <typename Map>
auto nearest_cost(const Map& map, const Cost& cost) {
  const auto distance = [&](const Cost& other) {
    return other.units > cost.units ? other.units - cost.units : cost.units - other.units;
  };
  auto nearest = map.end();
  for (auto entry = map.begin(); entry != map.end(); ++entry) {
    if (entry->first.kind != cost.kind) continue;
    if (nearest == map.end() || distance(entry->first) < distance(nearest->first)) nearest = entry;
  }
  return nearest;
}

// Of `cost` to `known`, which is of the same kind.
inline double scale_of(const Cost& cost, const Cost& known) {
  return static_cast<double>(cost.units) / static_cast<double>(known.units);
}

}  // namespace roundhouse::host
