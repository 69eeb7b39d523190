// SPDX-License-Identifier: Apache-2.0
// How often an engine's progress is passed on: it may tell of it a million times a second.
#pragma once

#include <algorithm>
#include <chrono>

namespace roundhouse::host {

// One thread. A thousand at once, which no sound call exceeds, and then a hundred a second.
class ProgressRate {
 public:
  bool allows() {
    constexpr double kAtOnce = 1000, kPerSecond = 100;
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> since = now - counted_;
    counted_ = now;
    left_ = std::min(kAtOnce, left_ + since.count() * kPerSecond);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double left_ = 1000;
  std::chrono::steady_clock::time_point counted_ = std::chrono::steady_clock::now();
};

}  // namespace roundhouse::host
