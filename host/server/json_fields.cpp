// SPDX-License-Identifier: Apache-2.0
#include "host/server/json_fields.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr int kDepth = 64;
constexpr std::size_t kShown = 80;

std::string plain(double value) {
  std::ostringstream text;
  text.precision(15);
  text << value;
  return text.str();
}

}  // namespace

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

JsonFields::JsonFields(json object, std::string name) : object_(std::move(object)), name_(std::move(name)) {
}

JsonFields JsonFields::parse(std::string_view body, bool may_be_empty) {
  if (body.empty() && may_be_empty) return JsonFields(json::object());
  const auto within_depth = [](int depth, json::parse_event_t, json&) {
    if (depth > kDepth) {
      throw Error(RH_INVALID_ARGUMENT, "body: is nested deeper than " + std::to_string(kDepth));
    }
    return true;
  };
  json value;
  try {
    value = json::parse(body, within_depth);
  } catch (const json::parse_error& error) {
    throw Error(RH_INVALID_ARGUMENT,
                "body: is not JSON at byte " + std::to_string(error.byte) + ", expected one object");
  } catch (const json::out_of_range&) {
    throw Error(RH_INVALID_ARGUMENT, "body: has a number that is out of every range");
  }
  if (!value.is_object()) {
    throw Error(RH_INVALID_ARGUMENT, "body: is " + std::string(value.type_name()) + ", expected an object");
  }
  return JsonFields(std::move(value));
}

void JsonFields::refuse(const std::string& field, const std::string& problem) const {
  const json* value = find(field);
  throw Error(RH_INVALID_ARGUMENT, (name_.empty() ? "" : name_ + ".") + field + ": " +
                                       (value == nullptr ? "" : shown(*value) + " ") + problem);
}

const json* JsonFields::find(const std::string& field) const {
  const auto found = object_.find(field);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> JsonFields::text(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(field, "is not a text");
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
  if (!value->is_number()) refuse(field, "is not a whole number");
  const double real = value->get<double>();
  // Above 2^53, a fraction could have been lost on the way.
  if (std::floor(real) != real || std::abs(real) > 9007199254740992.0) refuse(field, "is not a whole number");
  return static_cast<std::int64_t>(real);
}

std::optional<std::int64_t> JsonFields::integer(const std::string& field, std::int64_t least,
                                                std::int64_t most) const {
  const auto value = integer(field);
  if (value && (*value < least || *value > most)) {
    refuse(field, "is out of range, expected " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::optional<double> JsonFields::number(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(field, "is not a number");
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
  if (!value->is_boolean()) refuse(field, "is not true or false");
  return value->get<bool>();
}

std::optional<std::string> JsonFields::word(const std::string& field,
                                            const std::vector<std::string>& words) const {
  const auto value = text(field);
  if (!value || std::find(words.begin(), words.end(), *value) != words.end()) return value;
  std::string expected;
  for (const std::string& word : words)
    expected += (expected.empty() ? "" : ", ") + word;
  refuse(field, "is not known, expected one of: " + expected);
}

std::optional<std::string> JsonFields::word(const std::string& field,
                                            std::initializer_list<std::string_view> words) const {
  return word(field, std::vector<std::string>(words.begin(), words.end()));
}

std::optional<JsonFields> JsonFields::object(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) refuse(field, "is not an object");
  return JsonFields(*value, (name_.empty() ? "" : name_ + ".") + field);
}

std::optional<json> JsonFields::list(const std::string& field) const {
  const json* value = find(field);
  if (value == nullptr) return std::nullopt;
  return value->is_array() ? *value : json::array({*value});
}

}  // namespace roundhouse::host
