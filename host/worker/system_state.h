// SPDX-License-Identifier: Apache-2.0
// What the kernel says about memory and processors of this process.
#pragma once

#include <atomic>
#include <cstdint>

namespace roundhouse::host {

// The largest resident size of this process since its program was started; 0 where the kernel does not say.
std::uint64_t peak_memory_bytes();

// The largest resident size of this process in each of several stretches of time. The kernel keeps one mark
// for the whole life of a process and resetting it would hide the truth from everybody else, so between marks
// that rise the current size is looked at whenever somebody calls `look`.
class StretchPeak {
 public:
  StretchPeak();
  // Cheap when called often: looks at most every 10 ms. Any thread.
  void look();
  // The peak since the beginning or the last take; one thread.
  std::uint64_t take();

 private:
  std::uint64_t mark_;                      // the kernel's when the stretch began
  std::atomic<std::uint64_t> seen_{0};      // largest size seen in it
  std::atomic<std::int64_t> looked_at_{0};  // ms of the steady clock
};

// How often the kernel has killed for want of memory: in this process's control group where that can be read,
// else on the whole machine. Two readings around an unexplained SIGKILL tell whether it was one of those.
std::uint64_t memory_kills();

// What an engine may use: `wanted`, or with 0 the processors that this process may run on, limited by the
// control group's quota. At least 1.
std::uint32_t thread_budget(std::uint32_t wanted);

}  // namespace roundhouse::host
