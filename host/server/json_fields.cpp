// SPDX-License-Identifier: Apache-2.0
#include "host/server/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "host/text/json_text.h"
#include "host/text/list.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr int kDepth = 64;
constexpr std::size_t kShown = 80;
// Fields that hold what people write, on any route: their values belong into no message, as messages are
// logged and prompts are not.
constexpr std::array<std::string_view, 14> kPrompts{
    "prompt", "negative_prompt", "messages", "input", "instructions", "system", "template", "suffix",
    "stop",   "documents",       "query",    "text",  "styles",       "content"};

std::string plain(double value) {
  std::ostringstream text;
  text.precision(15);
  text << value;
  return text.str();
}

// "a list", "an object", "a string", "a number", "true or false".
const char* type_of(const json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  if (value.is_string()) return "a string";
  return value.is_boolean() ? "true or false" : "a number";
}

// Of "messages[0].role" or "options.prompt": whether any part of it is a field of that kind.
bool holds_prompt(std::string_view path) {
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find_first_of(".["));
    if (std::find(kPrompts.begin(), kPrompts.end(), part) != kPrompts.end()) return true;
    const std::size_t dot = path.find('.');
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return false;
}

// Lists and objects may have such a field anywhere inside.
bool is_hidden(const json& value, std::string_view path) {
  return value.is_structured() || holds_prompt(path);
}

}  // namespace

std::string shown(const json& value) {
  std::string text = json_ascii(value);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

JsonFields::JsonFields(json object, std::string name) : object_(std::move(object)), name_(std::move(name)) {
}

JsonFields JsonFields::parse(std::string_view body, bool may_be_empty) {
  if (body.empty() && may_be_empty) return JsonFields(json::object());
  const auto within_depth = [](int depth, json::parse_event_t, json&) {
    if (depth > kDepth) {
      throw Error(RH_INVALID_ARGUMENT, fmt::format("body: is nested deeper than {}", kDepth));
    }
    return true;
  };
  json value;
  try {
    value = json::parse(body, within_depth);
  } catch (const json::parse_error& error) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("body: is not JSON at byte {}, expected one object", error.byte));
  } catch (const json::out_of_range&) {
    throw Error(RH_INVALID_ARGUMENT, "body: has a number that is out of every range");
  }
  if (!value.is_object()) {
    throw Error(RH_INVALID_ARGUMENT, "body: is " + std::string(value.type_name()) + ", expected an object");
  }
  return JsonFields(std::move(value));
}

std::string JsonFields::path_of(const std::string& field) const {
  return (name_.empty() ? "" : name_ + ".") + field;
}

void JsonFields::refuse(const std::string& field, const std::string& problem) const {
  const json* value = find(field);
  const std::string path = path_of(field);
  const bool hidden = value == nullptr || is_hidden(*value, path);
  throw Error(RH_INVALID_ARGUMENT, path + ": " + (hidden ? "" : shown(*value) + " ") + problem);
}

void JsonFields::refuse_type(const std::string& field, const std::string& expected) const {
  const json& value = object_.at(field);
  const std::string path = path_of(field);
  if (is_hidden(value, path))
    throw Error(RH_INVALID_ARGUMENT, path + ": is " + type_of(value) + ", expected " + expected);
  refuse(field, "is not " + expected);
}

const json* JsonFields::find(const std::string& field) const {
  const auto found = object_.find(field);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> JsonFields::text(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse_type(field, "a string");
  return value->get<std::string>();
}

std::optional<std::int64_t> JsonFields::integer(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) {
    if (value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) refuse(field, "is too large");
    return value->get<std::int64_t>();
  }
  if (value->is_number_integer()) return value->get<std::int64_t>();
  if (!value->is_number()) refuse_type(field, "a whole number");
  const double real = value->get<double>();
  // Above 2^53, a fraction could have been lost on the way.
  if (std::floor(real) != real || std::abs(real) > 9007199254740992.0) refuse(field, "is not a whole number");
  return static_cast<std::int64_t>(real);
}

std::optional<std::int64_t> JsonFields::integer(const std::string& field, std::int64_t least,
                                                std::int64_t most) const {
  const auto value = integer(field);
  if (value && (*value < least || *value > most)) {
    refuse(field, fmt::format("is out of range, expected {} to {}", least, most));
  }
  return value;
}

std::optional<double> JsonFields::number(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse_type(field, "a number");
  return value->get<double>();
}

std::optional<double> JsonFields::number(const std::string& field, double least, double most) const {
  const auto value = number(field);
  if (value && !(*value >= least && *value <= most)) {
    refuse(field, "is out of range, expected " + plain(least) + " to " + plain(most));
  }
  return value;
}

bool JsonFields::boolean(const std::string& field, bool otherwise) const {
  const json* value = find(field);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse_type(field, "true or false");
  return value->get<bool>();
}

std::optional<std::string> JsonFields::word(const std::string& field,
                                            const std::vector<std::string>& words) const {
  const auto value = text(field);
  if (!value || std::find(words.begin(), words.end(), *value) != words.end()) return value;
  refuse(field, "is not known, expected one of: " + joined(words));
}

std::optional<std::string> JsonFields::word(const std::string& field,
                                            std::initializer_list<std::string_view> words) const {
  return word(field, std::vector<std::string>(words.begin(), words.end()));
}

std::optional<JsonFields> JsonFields::object(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) refuse_type(field, "an object");
  return JsonFields(*value, (name_.empty() ? "" : name_ + ".") + field);
}

std::optional<json> JsonFields::list(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  return value->is_array() ? *value : json::array({*value});
}

}  // namespace roundhouse::host
