// SPDX-License-Identifier: Apache-2.0
// Small JSON files of strangers: read whole, with bounds on size and depth, and no key twice.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace roundhouse::host {

inline constexpr std::size_t kManifestBytes = std::size_t{1} << 20;
inline constexpr int kManifestDepth = 8;

// Reads a regular file of at most kManifestBytes. Throws IO_ERROR when it cannot be read (also a pipe or a
// device, on which reading could wait for ever), ENGINE_BROKEN when it is larger.
std::string read_small_file(const std::filesystem::path& file);

// Throws ENGINE_BROKEN for what is not JSON, is nested deeper than kManifestDepth, or repeats a key in one
// object.
nlohmann::json parse_json(const std::filesystem::path& file, const std::string& text);

}  // namespace roundhouse::host
