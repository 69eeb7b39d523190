// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/clock.h"

#include <cstdio>
#include <ctime>

namespace roundhouse::host::ollama {

std::string time_text(std::chrono::system_clock::time_point time) {
  using std::chrono::microseconds;
  const auto all = std::chrono::duration_cast<microseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(all / 1'000'000);
  std::tm utc{};
  char day[32] = "", text[48] = "";
  if (gmtime_r(&seconds, &utc) == nullptr || std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
    return "1970-01-01T00:00:00Z";
  std::snprintf(text, sizeof text, "%s.%06dZ", day, static_cast<int>(all % 1'000'000));
  return text;
}

std::int64_t nanoseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace roundhouse::host::ollama
