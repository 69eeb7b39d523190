// SPDX-License-Identifier: Apache-2.0
// The target of a request line, taken apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace roundhouse::host::http {

struct Target {
  std::optional<std::string> authority;  // of a whole address: "127.0.0.1:11435"
  // As sent, "/v1/models/a%2Fb", but without doubled slashes and one at the end: base addresses are often
  // configured with one too many.
  std::string path;
  std::map<std::string, std::string> query;  // decoded; the last of a name
};

// Takes "/path?query", "http://host/path?query" (https too) and "*". None for anything else, for escapes that
// are none and for characters that no text has (NUL).
std::optional<Target> parse_target(std::string_view text);

// "a%2Fb" as "a/b"; none for an escape that is none, or for NUL. With `plus`, '+' is a space.
std::optional<std::string> percent_decoded(std::string_view text, bool plus = false);

}  // namespace roundhouse::host::http
