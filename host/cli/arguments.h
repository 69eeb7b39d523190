// SPDX-License-Identifier: Apache-2.0
// Values of flags, read strictly: a number that is none is INVALID_ARGUMENT with flag, value and expectation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace roundhouse::host {

// A decimal whole number, the whole text. `expectation` follows the word "expected".
std::int64_t parse_integer(const std::string& flag, const std::string& text, const std::string& expectation);
std::int64_t parse_integer(const std::string& flag, const std::string& text, std::int64_t minimum,
                           std::int64_t maximum);
// A finite decimal number.
double parse_number(const std::string& flag, const std::string& text, const std::string& expectation);

std::optional<std::int64_t> parse_integer(const std::string& flag, const std::optional<std::string>& text,
                                          const std::string& expectation);
std::optional<double> parse_number(const std::string& flag, const std::optional<std::string>& text,
                                   const std::string& expectation);

}  // namespace roundhouse::host
