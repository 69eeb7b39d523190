// SPDX-License-Identifier: Apache-2.0
// Reading configuration files that ought to be small.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace roundhouse::host {

// The whole file, or none when it does not exist. Throws IO_ERROR when it cannot be read or is no regular
// file, MODEL_INVALID when it is larger than `limit` bytes. `shown` names it in messages.
std::optional<std::string> read_small_file(const std::filesystem::path& file, const std::string& shown,
                                           std::size_t limit);

// Parses a JSON object; nesting is limited, and a key may come only once. Throws MODEL_INVALID with the
// position.
nlohmann::json parse_json_object(const std::string& text, const std::string& shown);

}  // namespace roundhouse::host
