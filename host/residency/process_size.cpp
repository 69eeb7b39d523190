// SPDX-License-Identifier: Apache-2.0
// Reads /proc.
#include "host/residency/process_size.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "host/worker/machine.h"

namespace roundhouse::host {

ProcessSize process_size(pid_t process) {
  if (process <= 0) return {};
  std::ifstream stream(fmt::format("/proc/{}/statm", process));
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  if (!(stream >> total >> resident >> shared)) return {};
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return {resident * page, (resident - std::min(shared, resident)) * page};
}

std::uint64_t available_memory() {
  const Machine machine = inspect_machine();
  return std::min(machine.memory_available_bytes, machine.memory_limit_bytes.value_or(UINT64_MAX));
}

}  // namespace roundhouse::host
