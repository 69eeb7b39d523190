// SPDX-License-Identifier: Apache-2.0
// Typed access to one manifest's JSON.
#include "host/manifest/json_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/text/json_text.h"
#include "host/text/list.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kShownBytes = 60;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// As JSON writes it, in ASCII and not too long: refusals are for terminals too.
std::string escaped(const nlohmann::json& json) {
  const std::string text = json_ascii(json);
  return text.size() <= kShownBytes ? text : text.substr(0, kShownBytes) + "...";
}

bool is_plain(const std::string& key) {
  return !key.empty() && key.size() <= kShownBytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// "a number", "an object"
std::string kind_of(const nlohmann::json& json) {
  const std::string name = json.type_name();
  return (name == "array" || name == "object" ? "an " : "a ") + name;
}

// Whether it holds a C1 control character (U+0080 to U+009F), which terminals obey as well.
bool has_c1(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (static_cast<unsigned char>(text[i]) == 0xc2 && next >= 0x80 && next <= 0x9f) return true;
  }
  return false;
}

}  // namespace

std::string JsonValue::shown() const {
  return escaped(*json_);
}

void JsonValue::refuse(const std::string& problem) const {
  throw Error(RH_ENGINE_BROKEN, "manifest '" + file_->string() +
                                    "': " + (field_.empty() ? "" : field_ + ": " + shown() + " ") + problem);
}

JsonValue JsonValue::child(const std::string& name, const nlohmann::json& json) const {
  const std::string key = is_plain(name) ? name : escaped(name);
  return JsonValue(*file_, json, field_.empty() ? key : field_ + "." + key);
}

bool JsonValue::has(const std::string& key) const {
  return json_->is_object() && json_->contains(key);
}

JsonValue JsonValue::at(const std::string& key) const {
  if (!json_->is_object()) refuse("is " + kind_of(*json_) + ", expected an object");
  if (!json_->contains(key)) {
    throw Error(RH_ENGINE_BROKEN, "manifest '" + file_->string() +
                                      "': " + (field_.empty() ? "" : field_ + ".") + key + ": is missing");
  }
  return child(key, json_->at(key));
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
  if (!json_->is_object()) refuse("is " + kind_of(*json_) + ", expected an object");
  std::vector<std::pair<std::string, JsonValue>> result;
  for (const auto& [key, value] : json_->items())
    result.emplace_back(key, child(key, value));
  return result;
}

std::vector<JsonValue> JsonValue::items() const {
  if (!json_->is_array()) refuse("is " + kind_of(*json_) + ", expected an array");
  std::vector<JsonValue> result;
  for (std::size_t i = 0; i < json_->size(); ++i)
    result.emplace_back(*file_, json_->at(i), fmt::format("{}[{}]", field_, i));
  return result;
}

void JsonValue::expect_only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : members()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    if (field_.empty() && key.starts_with("x-")) continue;
    value.refuse("is not a known key, expected one of: " + joined(keys));
  }
}

std::string JsonValue::text_or_empty(std::size_t longest) const {
  if (!json_->is_string()) refuse("is " + kind_of(*json_) + ", expected a string");
  const auto& text = json_->get_ref<const std::string&>();
  if (text.size() > longest) {
    refuse(fmt::format("has {} bytes, expected at most {}", text.size(), longest));
  }
  if (std::any_of(text.begin(), text.end(), is_control) || has_c1(text)) {
    refuse("holds a control character, expected text");
  }
  return text;
}

std::string JsonValue::text(std::size_t longest) const {
  std::string result = text_or_empty(longest);
  if (result.empty()) refuse("is empty, expected text");
  return result;
}

std::int64_t JsonValue::integer(std::int64_t lowest, std::int64_t highest) const {
  const std::string range = fmt::format("an integer from {} to {}", lowest, highest);
  if (!json_->is_number_integer()) refuse("is not an integer, expected " + range);
  // An unsigned value beyond int64 would turn negative in get<int64_t>.
  const bool huge = json_->is_number_unsigned() && json_->get<std::uint64_t>() > INT64_MAX;
  const auto value = huge ? INT64_MAX : json_->get<std::int64_t>();
  if (huge || value < lowest || value > highest) refuse("is out of range, expected " + range);
  return value;
}

double JsonValue::finite_number() const {
  if (!json_->is_number()) refuse("is " + kind_of(*json_) + ", expected a number");
  const double value = json_->get<double>();
  if (!std::isfinite(value)) refuse("is not finite, expected a number");
  return value;
}

bool JsonValue::boolean() const {
  if (!json_->is_boolean()) refuse("is " + kind_of(*json_) + ", expected true or false");
  return json_->get<bool>();
}

}  // namespace roundhouse::host
