// SPDX-License-Identifier: Apache-2.0
#include "host/worker/control_group.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// Version 1 has no word for "no limit": the largest number of whole pages stands there.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

template <class Value>
void keep_smallest(std::optional<Value>& limit, Value found) {
  limit = std::min(found, limit.value_or(found));
}

template <class Value>
std::optional<Value> number_in(const fs::path& file) {
  Value value = 0;
  std::ifstream stream(file);
  return stream >> value ? std::optional(value) : std::nullopt;
}

// Version 2: all controllers in one directory.
void look_at_unified(const fs::path& group, GroupLimits& limits) {
  if (const auto bytes = number_in<std::uint64_t>(group / "memory.max"))
    keep_smallest(limits.memory_bytes, *bytes);
  double quota = 0, period = 0;
  if (std::ifstream file(group / "cpu.max"); file >> quota >> period && period > 0)
    keep_smallest(limits.processors, quota / period);
}

void look_at_memory(const fs::path& group, GroupLimits& limits) {
  const auto bytes = number_in<std::uint64_t>(group / "memory.limit_in_bytes");
  if (bytes && *bytes < kNoLimit) keep_smallest(limits.memory_bytes, *bytes);
}

void look_at_processors(const fs::path& group, GroupLimits& limits) {
  const auto quota = number_in<double>(group / "cpu.cfs_quota_us"),
             period = number_in<double>(group / "cpu.cfs_period_us");
  if (quota && period && *quota > 0 && *period > 0) keep_smallest(limits.processors, *quota / *period);
}

// From the group up to where its hierarchy is mounted. Within a container the group's own directory may not
// be there, and the mount shows it as its root.
void climb(const fs::path& mounted, std::string path, const std::function<void(const fs::path&)>& look) {
  for (;;) {
    look(mounted / fs::path(path).relative_path());
    if (path.empty() || path == "/") return;
    path.erase(path.rfind('/'));
  }
}

}  // namespace

GroupLimits read_group_limits(const fs::path& groups, const fs::path& mounted) {
  GroupLimits limits;
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {  // "4:memory:/path", "0::/path"
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      path = line.substr(second + 1);
    if (path.empty() || path.front() != '/') continue;
    if (controllers.empty()) climb(mounted, path, [&](const auto& group) { look_at_unified(group, limits); });
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
      if (name != "memory" && name != "cpu") continue;
      const auto look = name == "memory" ? look_at_memory : look_at_processors;
      for (const fs::path& place : {mounted / name, mounted / controllers})
        climb(place, path, [&](const auto& group) { look(group, limits); });
    }
  }
  return limits;
}

}  // namespace roundhouse::host
