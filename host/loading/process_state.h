// SPDX-License-Identifier: Apache-2.0
// The state of the process that a plugin has to leave alone, and its repair.
#pragma once

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace roundhouse::host {

class ProcessState {
 public:
  static ProcessState now();

  // Says what differs now ("the working directory") and puts it back, the environment excepted: other threads
  // may be reading that.
  std::vector<std::string> restore() const;

 private:
  std::string directory_;  // empty when it has no name
  std::string locale_;
  std::vector<std::string> environment_;
  std::array<struct sigaction, NSIG> signals_{};
};

}  // namespace roundhouse::host
