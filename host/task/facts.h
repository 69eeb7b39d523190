// SPDX-License-Identifier: Apache-2.0
// What an engine or a model tells of itself, in its own words.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace roundhouse::host {

// Key and value, in the order in which they were told: {"device", "cpu"}.
using Facts = std::vector<std::pair<std::string, std::string>>;

}  // namespace roundhouse::host
