// SPDX-License-Identifier: Apache-2.0
// How long something takes, by the clock that never goes back.
#pragma once

#include <chrono>

namespace roundhouse::host {

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return 1000 * seconds_since(begin);
}

}  // namespace roundhouse::host
