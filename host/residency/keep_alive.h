// SPDX-License-Identifier: Apache-2.0
// How long a model stays loaded after its last request, as clients write it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace roundhouse::host {

// 0 = unload when the request is done; kForever (any negative time) = never unload for being idle.
using KeepAlive = std::chrono::milliseconds;
inline constexpr KeepAlive kForever{-1};

// "300" and "-1" are seconds, "5m", "1h30m", "90s", "250ms" and "-1m" durations. What is longer than a
// thousand years counts as for ever. Throws INVALID_ARGUMENT naming `field`, the text and the expectation.
KeepAlive parse_keep_alive(std::string_view text, const std::string& field = "keep_alive");
// A number of seconds, as JSON gives it. Throws INVALID_ARGUMENT when it is not finite.
KeepAlive keep_alive_of(double seconds, const std::string& field = "keep_alive");

}  // namespace roundhouse::host
