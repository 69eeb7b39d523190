// SPDX-License-Identifier: Apache-2.0
// Numbers of seconds and Go's durations.
#include "host/residency/keep_alive.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr double kLongest = 1000.0 * 366 * 86400;  // seconds; beyond it a steady clock would overflow

struct Unit {
  std::string_view name;
  double seconds;
};
// "ms" comes before "m", which it begins with.
constexpr std::array<Unit, 6> kUnits{
    {{"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"h", 3600}, {"m", 60}, {"s", 1}}};

// Takes a decimal number without a sign off the front.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  if (text.empty() || ((text[0] < '0' || text[0] > '9') && text[0] != '.')) return std::nullopt;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<double> take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.seconds;
  }
  return std::nullopt;
}

// Seconds, without the sign.
std::optional<double> magnitude(std::string_view text) {
  const std::optional<double> first = take_number(text);
  if (!first || text.empty()) return first;
  double sum = 0;
  for (std::optional<double> number = first;; number = take_number(text)) {
    if (!number) return std::nullopt;
    const std::optional<double> unit = take_unit(text);
    if (!unit) return std::nullopt;
    sum += *number * *unit;
    if (text.empty()) return sum;
  }
}

}  // namespace

KeepAlive keep_alive_of(double seconds, const std::string& field) {
  if (!std::isfinite(seconds)) {
    throw Error(RH_INVALID_ARGUMENT, field + ": is not a finite number, expected seconds");
  }
  if (seconds < 0 || seconds > kLongest) return kForever;
  return KeepAlive(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

KeepAlive parse_keep_alive(std::string_view text, const std::string& field) {
  const bool negative = text.starts_with('-');
  const std::optional<double> seconds = magnitude(text.substr(negative ? 1 : 0));
  if (!seconds) {
    throw Error(RH_INVALID_ARGUMENT, field + ": '" + std::string(text) +
                                         "' is not a time, expected seconds or a duration like 5m or 1h30m, "
                                         "negative for ever");
  }
  return keep_alive_of(negative ? -*seconds : *seconds, field);
}

}  // namespace roundhouse::host
