// SPDX-License-Identifier: Apache-2.0
// Values of flags, read strictly: a number that is none is INVALID_ARGUMENT with flag, value and expectation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/worker/engine_client.h"

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

// "10GB", "9.5GiB", "512M", "1000000": B, KB, MB, GB and TB are powers of 1000; K, KiB, M, MiB, G, GiB, T and
// TiB of 1024. At least 1.
std::uint64_t parse_bytes(const std::string& flag, const std::string& text);

// "name=value": true and false are booleans, numbers are numbers, everything else and what stands in double
// quotes is text.
EngineOption parse_engine_option(const std::string& flag, const std::string& text);

}  // namespace roundhouse::host
