// SPDX-License-Identifier: Apache-2.0
// The project's own sources, as the structure tests read them.
#pragma once

#include <string>
#include <vector>

namespace structure {

// Headers and sources under sdk, host, engines, plugins and tests, relative to the root.
std::vector<std::string> source_files();

// What a file includes, each with its quotes or angle brackets.
std::vector<std::string> includes_of(const std::string& file);

std::vector<std::string> lines_of(const std::string& file);

}  // namespace structure
