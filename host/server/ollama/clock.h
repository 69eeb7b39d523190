// SPDX-License-Identifier: Apache-2.0
// Times and durations as Ollama writes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace roundhouse::host::ollama {

// RFC 3339 in UTC with a fraction: "2025-01-31T12:00:00.123456Z".
std::string time_text(std::chrono::system_clock::time_point time);
inline std::string now_text() {
  return time_text(std::chrono::system_clock::now());
}

// Nanoseconds since `begin`.
std::int64_t nanoseconds_since(std::chrono::steady_clock::time_point begin);

}  // namespace roundhouse::host::ollama
