// SPDX-License-Identifier: Apache-2.0
// Reads /proc and the control group's files.
#include "host/worker/system_state.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>

#include "host/worker/control_group.h"

namespace roundhouse::host {
namespace {

// The number after "key " in a file of such lines, or `missing`.
std::uint64_t keyed_number(const std::string& file, const std::string& key, std::uint64_t missing) {
  std::ifstream stream(file);
  std::string word;
  while (stream >> word) {
    std::uint64_t value = 0;
    if (word == key && stream >> value) return value;
    stream.clear();
  }
  return missing;
}

// The directory of this process's control group (version 2), with a trailing slash.
std::string control_group() {
  std::ifstream stream("/proc/self/cgroup");
  std::string line;
  while (std::getline(stream, line)) {
    if (line.rfind("0::/", 0) == 0) return "/sys/fs/cgroup" + line.substr(3) + "/";
  }
  return "/sys/fs/cgroup/";
}

// Processors that the control group's quota amounts to; 0 = no quota.
std::uint32_t quota_processors() {
  const auto quota = read_group_limits().processors;
  return quota ? static_cast<std::uint32_t>(std::clamp(std::ceil(*quota), 1.0, 65536.0)) : 0;
}

std::uint32_t allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(CPU_COUNT(&set), 1));
}

std::uint64_t resident_bytes() {
  std::ifstream stream("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  stream >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint64_t peak_memory_bytes() {
  // Not getrusage: its ru_maxrss survives exec, so a worker would report the size of its parent.
  return keyed_number("/proc/self/status", "VmHWM:", 0) * 1024;
}

StretchPeak::StretchPeak() : mark_(peak_memory_bytes()) {
}

void StretchPeak::look() {
  constexpr std::int64_t kInterval = 10;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::steady_clock::now().time_since_epoch())
                       .count();
  auto last = looked_at_.load(std::memory_order_relaxed);
  if (now - last < kInterval || !looked_at_.compare_exchange_strong(last, now)) return;
  const std::uint64_t size = resident_bytes();
  auto seen = seen_.load(std::memory_order_relaxed);
  while (seen < size && !seen_.compare_exchange_weak(seen, size)) {
  }
}

std::uint64_t StretchPeak::take() {
  const std::uint64_t mark = peak_memory_bytes();
  const std::uint64_t seen = std::max(seen_.exchange(0), resident_bytes());
  const std::uint64_t peak = mark > mark_ ? mark : std::min(seen, mark);
  mark_ = mark;
  return peak;
}

std::uint64_t memory_kills() {
  constexpr std::uint64_t kUnreadable = ~std::uint64_t{0};
  const std::uint64_t own = keyed_number(control_group() + "memory.events", "oom_kill", kUnreadable);
  if (own != kUnreadable) return own;
  return keyed_number("/proc/vmstat", "oom_kill", 0);
}

std::uint32_t thread_budget(std::uint32_t wanted) {
  if (wanted > 0) return wanted;
  const std::uint32_t quota = quota_processors();
  const std::uint32_t allowed = allowed_processors();
  return quota > 0 ? std::min(quota, allowed) : allowed;
}

}  // namespace roundhouse::host
