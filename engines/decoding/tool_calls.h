// SPDX-License-Identifier: Apache-2.0
// Calls of tools as models write them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace engines::decoding {

struct ToolCall {
  std::string name;
  std::string arguments;  // one JSON object
};

// On one line; never throws.
std::string compact(const nlohmann::ordered_json& value);

// Of a text that begins with '{' or '[': behind the bracket that closes it; nothing when there is none yet.
// Brackets within strings do not count.
std::optional<std::size_t> json_end(std::string_view text);

// The calls that a text is, all of it but white space; nothing when it is not only calls. Each has a name of
// 1 to 256 bytes without control characters. Only `known` names count, where there are any.
using KnownTools = std::set<std::string, std::less<>>;

// {"name": ..., "arguments" or "parameters": {...}}, several in a row (with ';' between them, as Llama 3
// writes them) or in an array. Arguments may be a string that holds the object, null or missing.
std::optional<std::vector<ToolCall>> json_calls(std::string_view text, const KnownTools& known = {});
// name[ARGS]{...}, as newer Mistral models write one behind [TOOL_CALLS].
std::optional<std::vector<ToolCall>> named_call(std::string_view text, const KnownTools& known = {});
// name(key=value, ...), maybe within print(...), several lines or a list of them, as Gemma writes code;
// values are literals of Python.
std::optional<std::vector<ToolCall>> code_calls(std::string_view text, const KnownTools& known);

}  // namespace engines::decoding
