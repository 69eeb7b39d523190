// SPDX-License-Identifier: Apache-2.0
// Values of flags.
#include "host/cli/arguments.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& text, const std::string& problem,
                         const std::string& expectation) {
  throw Error(RH_INVALID_ARGUMENT, flag + ": '" + text + "' " + problem + ", expected " + expectation);
}

// std::from_chars needs no locale, takes no spaces and no '+', and says when a value does not fit.
template <typename Number>
Number parse(const std::string& flag, const std::string& text, const std::string& kind,
             const std::string& expectation) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range && stopped == end) {
    refuse(flag, text, "is out of range", expectation);
  }
  if (error != std::errc{} || stopped != end) refuse(flag, text, "is not " + kind, expectation);
  return value;
}

}  // namespace

std::int64_t parse_integer(const std::string& flag, const std::string& text, const std::string& expectation) {
  return parse<std::int64_t>(flag, text, "a whole number", expectation);
}

std::int64_t parse_integer(const std::string& flag, const std::string& text, std::int64_t minimum,
                           std::int64_t maximum) {
  const std::string expectation = fmt::format("{} to {}", minimum, maximum);
  const std::int64_t value = parse_integer(flag, text, expectation);
  if (value < minimum || value > maximum) refuse(flag, text, "is out of range", expectation);
  return value;
}

double parse_number(const std::string& flag, const std::string& text, const std::string& expectation) {
  const auto value = parse<double>(flag, text, "a number", expectation);
  if (!std::isfinite(value)) refuse(flag, text, "is not finite", expectation);
  return value;
}

std::uint64_t parse_bytes(const std::string& flag, const std::string& text) {
  static constexpr const char* expectation = "a size such as 10GB, 9.5GiB or 512M";
  static const std::map<std::string, double> units = {
      {"", 1},       {"B", 1},        {"KB", 1e3},     {"MB", 1e6},     {"GB", 1e9},
      {"TB", 1e12},  {"K", 0x1p10},   {"KiB", 0x1p10}, {"M", 0x1p20},   {"MiB", 0x1p20},
      {"G", 0x1p30}, {"GiB", 0x1p30}, {"T", 0x1p40},   {"TiB", 0x1p40},
  };
  const std::size_t end = text.find_first_not_of("0123456789.");
  const auto unit = units.find(end == std::string::npos ? "" : text.substr(end));
  if (unit == units.end()) refuse(flag, text, "is not a size", expectation);
  const double bytes = parse_number(flag, text.substr(0, end), expectation) * unit->second;
  if (!(bytes >= 1 && bytes < 0x1p63)) refuse(flag, text, "is out of range", expectation);
  return static_cast<std::uint64_t>(bytes);
}

EngineOption parse_engine_option(const std::string& flag, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) refuse(flag, text, "has no name", "name=value");
  EngineOption option{text.substr(0, equals), text.substr(equals + 1)};
  const std::string value = text.substr(equals + 1);
  std::int64_t integer = 0;
  double number = 0;
  const auto reads = [&](auto& to) {
    const auto [stopped, error] = std::from_chars(value.data(), value.data() + value.size(), to);
    return error == std::errc{} && stopped == value.data() + value.size();
  };
  if (value == "true" || value == "false")
    option.value = value == "true";
  else if (reads(integer))
    option.value = integer;
  else if (reads(number) && std::isfinite(number))
    option.value = number;
  else if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    option.value = value.substr(1, value.size() - 2);
  return option;
}

std::optional<std::int64_t> parse_integer(const std::string& flag, const std::optional<std::string>& text,
                                          const std::string& expectation) {
  if (!text) return std::nullopt;
  return parse_integer(flag, *text, expectation);
}

std::optional<double> parse_number(const std::string& flag, const std::optional<std::string>& text,
                                   const std::string& expectation) {
  if (!text) return std::nullopt;
  return parse_number(flag, *text, expectation);
}

}  // namespace roundhouse::host
