// SPDX-License-Identifier: Apache-2.0
// The state of the process that a plugin must leave alone, and a comparison of two moments.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace conformance {

struct ProcessState {
  std::string directory;
  std::string locale;
  std::vector<std::string> environment;
  std::array<std::string, NSIG> signals;  // handler and flags, as bytes
  unsigned file_mask = 0;
  int rounding = 0;
  unsigned flush_to_zero = 0;  // the bits of MXCSR that change results; 0 on other processors

  static ProcessState now();

  // What has changed since `before`, as words: "the working directory", "the handler of signal 11".
  std::vector<std::string> changes_since(const ProcessState& before) const;
};

// Threads of this process at this moment.
int thread_count();

// Waits up to 0.3 s until at most `allowed` threads are left; returns how many there are.
int settled_thread_count(int allowed);

}  // namespace conformance
