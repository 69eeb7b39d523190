// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/tool_calls.h"

#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;
using Calls = std::vector<ToolCall>;

constexpr std::size_t kLongestName = 256;
constexpr std::string_view kSpace = " \t\r\n";

std::string_view without(std::string_view text, std::string_view at_the_ends) {
  const std::size_t first = text.find_first_not_of(at_the_ends);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(at_the_ends) - first + 1);
}

std::optional<Json> read_json(std::string_view text) {
  try {
    return parse_json<Json>(text, "call");
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool names_a_tool(std::string_view name, const KnownTools& known) {
  if (name.empty() || name.size() > kLongestName) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return known.empty() || known.contains(name);
}

// The object's text; nothing for what is no object.
std::optional<std::string> arguments_of(const Json& call) {
  for (const char* key : {"arguments", "parameters"}) {
    const auto place = call.find(key);
    if (place == call.end() || place->is_null()) continue;
    if (place->is_object()) return compact(*place);
    if (!place->is_string()) return std::nullopt;
    const auto held = read_json(place->get<std::string>());
    return held && held->is_object() ? std::optional(compact(*held)) : std::nullopt;
  }
  return "{}";
}

bool add_call(const Json& call, const KnownTools& known, Calls& calls) {
  if (!call.is_object()) return false;
  auto name = call.find("name");
  if (name == call.end()) name = call.find("function");
  if (name == call.end() || !name->is_string() || !names_a_tool(name->get<std::string>(), known))
    return false;
  auto arguments = arguments_of(call);
  if (!arguments) return false;
  calls.push_back({name->get<std::string>(), std::move(*arguments)});
  return true;
}

}  // namespace

std::string compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::size_t> json_end(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<Calls> json_calls(std::string_view text, const KnownTools& known) {
  Calls calls;
  for (text = without(text, kSpace); !text.empty(); text = without(text, " \t\r\n;")) {
    if (text.front() != '{' && text.front() != '[') return std::nullopt;
    const auto end = json_end(text);
    const auto value = end ? read_json(text.substr(0, *end)) : std::nullopt;
    if (!value) return std::nullopt;
    if (value->is_array()) {
      for (const Json& one : *value)
        if (!add_call(one, known, calls)) return std::nullopt;
    } else if (!add_call(*value, known, calls)) {
      return std::nullopt;
    }
    text.remove_prefix(*end);
  }
  return calls.empty() ? std::nullopt : std::optional(std::move(calls));
}

std::optional<Calls> named_call(std::string_view text, const KnownTools& known) {
  text = without(text, kSpace);
  const std::size_t brace = text.find('{');
  if (brace == std::string_view::npos) return std::nullopt;
  std::string_view name = text.substr(0, brace);
  // [CALL_ID] may stand between the name and [ARGS].
  name = without(name.substr(0, name.find('[')), kSpace);
  const auto arguments = read_json(text.substr(brace));
  if (!names_a_tool(name, known) || !arguments || !arguments->is_object()) return std::nullopt;
  return Calls{{std::string(name), compact(*arguments)}};
}

}  // namespace engines::decoding
