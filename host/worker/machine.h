// SPDX-License-Identifier: Apache-2.0
// What this process may use of the machine: processor, cores, memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace roundhouse::host {

struct Machine {
  std::string cpu;                    // model name
  std::vector<std::string> features;  // those that engines care for: avx2, fma, avx512f, avx512_bf16, ...
  std::string flags;                  // all that the kernel lists, as it does
  unsigned processors = 0;            // online
  unsigned processors_allowed = 0;    // by affinity
  std::optional<double> cpu_quota;    // processors' worth of time, by cgroup
  std::uint64_t memory_bytes = 0, memory_available_bytes = 0, swap_bytes = 0;
  std::optional<std::uint64_t> memory_limit_bytes;  // by cgroup
};

// Reads /proc and /sys; what cannot be read stays empty or 0.
Machine inspect_machine();

}  // namespace roundhouse::host
