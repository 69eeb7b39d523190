// SPDX-License-Identifier: Apache-2.0
// What the control groups of this process allow, of either version.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace roundhouse::host {

struct GroupLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> processors;  // worth of time
};

// Of the process's groups and of every group above them the smallest counts. What cannot be read limits
// nothing. `groups` is what /proc/self/cgroup holds, `mounted` where the hierarchies lie.
GroupLimits read_group_limits(const std::filesystem::path& groups = "/proc/self/cgroup",
                              const std::filesystem::path& mounted = "/sys/fs/cgroup");

}  // namespace roundhouse::host
