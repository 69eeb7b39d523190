// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/process_memory.h"

#include <unistd.h>

#include <fstream>

namespace engines {

std::uint64_t resident_bytes() {
  std::ifstream stream("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  stream >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace engines
