// SPDX-License-Identifier: Apache-2.0
// The target of a request line, taken apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace roundhouse::host::http {

struct Target {
  std::string path;                          // as sent: "/v1/models/a%2Fb"
  std::map<std::string, std::string> query;  // decoded; the last of a name
};

// Takes "/path?query", "http://host/path?query" and "*". None for anything else, for escapes that are none
// and for characters that no text has (NUL).
std::optional<Target> parse_target(std::string_view text);

// "a%2Fb" as "a/b"; none for an escape that is none, or for NUL. With `plus`, '+' is a space.
std::optional<std::string> percent_decoded(std::string_view text, bool plus = false);

}  // namespace roundhouse::host::http
