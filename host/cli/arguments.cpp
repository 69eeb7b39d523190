// SPDX-License-Identifier: Apache-2.0
// Values of flags.
#include "host/cli/arguments.h"

#include <charconv>
#include <cmath>

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
  const std::string expectation = std::to_string(minimum) + " to " + std::to_string(maximum);
  const std::int64_t value = parse_integer(flag, text, expectation);
  if (value < minimum || value > maximum) refuse(flag, text, "is out of range", expectation);
  return value;
}

double parse_number(const std::string& flag, const std::string& text, const std::string& expectation) {
  const auto value = parse<double>(flag, text, "a number", expectation);
  if (!std::isfinite(value)) refuse(flag, text, "is not finite", expectation);
  return value;
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
