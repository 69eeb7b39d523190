// SPDX-License-Identifier: Apache-2.0
// What this process may use of the machine.
#include "host/worker/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "host/worker/control_group.h"

namespace roundhouse::host {
namespace {

void read_processor(Machine& machine) {
  static constexpr std::array<const char*, 9> wanted = {
      "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile", "asimd"};
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; (machine.cpu.empty() || machine.flags.empty()) && std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name") && machine.cpu.empty()) machine.cpu = value;
    if ((line.starts_with("flags") || line.starts_with("Features")) && machine.features.empty()) {
      machine.flags = value;
      std::istringstream words(value);
      const std::set<std::string> flags{std::istream_iterator<std::string>(words), {}};
      for (const char* name : wanted) {
        if (flags.contains(name)) machine.features.emplace_back(name);
      }
    }
  }
}

void read_memory(Machine& machine) {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kibibytes = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (!(words >> name >> kibibytes)) continue;
    if (name == "MemTotal:") machine.memory_bytes = kibibytes * 1024;
    if (name == "MemAvailable:") machine.memory_available_bytes = kibibytes * 1024;
    if (name == "SwapTotal:") machine.swap_bytes = kibibytes * 1024;
  }
}

}  // namespace

Machine inspect_machine() {
  Machine machine;
  read_processor(machine);
  read_memory(machine);
  const GroupLimits group = read_group_limits();
  machine.memory_limit_bytes = group.memory_bytes;
  machine.cpu_quota = group.processors;
  machine.processors = static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  machine.processors_allowed = machine.processors;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    machine.processors_allowed = static_cast<unsigned>(CPU_COUNT(&set));
  }
  return machine;
}

}  // namespace roundhouse::host
