// SPDX-License-Identifier: Apache-2.0
#include "host/text/quantities.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace roundhouse::host {

std::string fixed(double value, int decimals) {
  return fmt::format("{:.{}f}", value, decimals);
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, unit > 0 && value < 10 ? 1 : 0, units[unit]);
}

std::string human_milliseconds(double milliseconds) {
  if (milliseconds < 10) return fixed(milliseconds, 1) + " ms";
  if (milliseconds < 1000) return fixed(milliseconds, 0) + " ms";
  if (milliseconds < 60'000) return fixed(milliseconds / 1000, milliseconds < 10'000 ? 2 : 1) + " s";
  const auto seconds = static_cast<long long>(std::llround(milliseconds / 1000));
  return fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

}  // namespace roundhouse::host
