// SPDX-License-Identifier: Apache-2.0
// What the kernel says about memory and processors of this process.
#pragma once

#include <cstdint>

namespace roundhouse::host {

// The largest resident size of this process since its program was started; 0 where the kernel does not say.
std::uint64_t peak_memory_bytes();

// How often the kernel has killed for want of memory: in this process's control group where that can be read,
// else on the whole machine. Two readings around an unexplained SIGKILL tell whether it was one of those.
std::uint64_t memory_kills();

// What an engine may use: `wanted`, or with 0 the processors that this process may run on, limited by the
// control group's quota. At least 1.
std::uint32_t thread_budget(std::uint32_t wanted);

}  // namespace roundhouse::host
