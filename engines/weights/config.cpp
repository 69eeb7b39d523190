// SPDX-License-Identifier: Apache-2.0
// Typed, ranged access to the fields of a config.json.
#include "engines/weights/config.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t largest_config = std::size_t{16} << 20;

template <class Number>
std::string shown_number(Number value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class Number>
std::string shown_range(Number low, Number high) {
  if (high == std::numeric_limits<Number>::max()) return shown_number(low) + " or more";
  if (low == high) return shown_number(low);
  return shown_number(low) + " to " + shown_number(high);
}

// The value as an integer; nothing when it is none, or beyond 64 bits.
std::optional<std::int64_t> as_integer(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return std::nullopt;
}

}  // namespace

Config Config::read(const std::filesystem::path& file, std::string shown) {
  const std::string text = read_file(file, shown, largest_config);
  nlohmann::json object = parse_json(text, shown);
  return {std::move(object), std::move(shown)};
}

Config::Config(nlohmann::json object, std::string shown)
    : object_(std::move(object)), shown_(std::move(shown)) {
  if (!object_.is_object())
    throw Error(RH_MODEL_INVALID, shown_ + ": is " + brief(object_) + ", expected an object");
}

void Config::fail(std::string_view field, const std::string& what) const {
  throw Error(RH_MODEL_INVALID, shown_ + ": " + std::string(field) + ": " + what);
}

const nlohmann::json* Config::find(std::string_view field) const {
  const auto place = object_.find(field);
  return place == object_.end() || place->is_null() ? nullptr : &*place;
}

bool Config::has(std::string_view field) const {
  return find(field) != nullptr;
}

bool Config::is_null(std::string_view field) const {
  const auto place = object_.find(field);
  return place != object_.end() && place->is_null();
}

std::int64_t Config::integer(std::string_view field, std::int64_t low, std::int64_t high) const {
  const auto* const value = find(field);
  if (value == nullptr) fail(field, "is missing, expected an integer");
  if (!value->is_number_integer()) fail(field, brief(*value) + " is not an integer");
  const auto number = as_integer(*value);
  if (!number || *number < low || *number > high)
    fail(field, brief(*value) + " is out of range, expected " + shown_range(low, high));
  return *number;
}

std::int64_t Config::integer_or(std::string_view field, std::int64_t fallback, std::int64_t low,
                                std::int64_t high) const {
  return has(field) ? integer(field, low, high) : fallback;
}

double Config::number(std::string_view field, double low, double high) const {
  const auto* const value = find(field);
  if (value == nullptr) fail(field, "is missing, expected a number");
  if (!value->is_number()) fail(field, brief(*value) + " is not a number");
  const auto number = value->get<double>();
  if (!std::isfinite(number) || number < low || number > high)
    fail(field, brief(*value) + " is out of range, expected " + shown_range(low, high));
  return number;
}

double Config::number_or(std::string_view field, double fallback, double low, double high) const {
  return has(field) ? number(field, low, high) : fallback;
}

bool Config::boolean_or(std::string_view field, bool fallback) const {
  const auto* const value = find(field);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) fail(field, brief(*value) + " is not true or false");
  return value->get<bool>();
}

std::string Config::text(std::string_view field) const {
  const auto* const value = find(field);
  if (value == nullptr) fail(field, "is missing, expected a string");
  if (!value->is_string()) fail(field, brief(*value) + " is not a string");
  return value->get<std::string>();
}

std::string Config::text_or(std::string_view field, std::string_view fallback) const {
  return has(field) ? text(field) : std::string(fallback);
}

std::vector<std::int64_t> Config::integers(std::string_view field, std::size_t low_count,
                                           std::size_t high_count, std::int64_t low,
                                           std::int64_t high) const {
  const auto* const value = find(field);
  if (value == nullptr) fail(field, "is missing, expected an array of integers");
  if (!value->is_array()) fail(field, brief(*value) + " is not an array of integers");
  if (value->size() < low_count || value->size() > high_count)
    fail(field,
         fmt::format("has {} elements, expected {}", value->size(), shown_range(low_count, high_count)));
  std::vector<std::int64_t> numbers;
  for (const auto& element : *value) {
    const auto number = as_integer(element);
    if (!number || *number < low || *number > high)
      fail(field, fmt::format("element {}: {} is not an integer of {}", numbers.size(), brief(element),
                              shown_range(low, high)));
    numbers.push_back(*number);
  }
  return numbers;
}

std::vector<double> Config::numbers(std::string_view field, std::size_t low_count, std::size_t high_count,
                                    double low, double high) const {
  const auto* const value = find(field);
  if (value == nullptr) fail(field, "is missing, expected an array of numbers");
  if (!value->is_array()) fail(field, brief(*value) + " is not an array of numbers");
  if (value->size() < low_count || value->size() > high_count)
    fail(field,
         fmt::format("has {} elements, expected {}", value->size(), shown_range(low_count, high_count)));
  std::vector<double> numbers;
  for (const auto& element : *value) {
    const double number = element.is_number() ? element.get<double>() : std::nan("");
    if (!(number >= low && number <= high))
      fail(field, fmt::format("element {}: {} is not a number of {}", numbers.size(), brief(element),
                              shown_range(low, high)));
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::string> Config::texts_or(std::string_view field, std::vector<std::string> fallback) const {
  const auto* const value = find(field);
  if (value == nullptr) return fallback;
  if (!value->is_array()) fail(field, brief(*value) + " is not an array of strings");
  std::vector<std::string> texts;
  for (const auto& element : *value) {
    if (!element.is_string())
      fail(field, fmt::format("element {}: {} is not a string", texts.size(), brief(element)));
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::optional<Config> Config::object(std::string_view field) const {
  const auto* const value = find(field);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) fail(field, brief(*value) + " is not an object");
  return Config(*value, shown_ + ": " + std::string(field));
}

void Config::only(std::string_view field, std::string_view supported) const {
  only_json(field, nlohmann::json(supported));
}

void Config::only(std::string_view field, bool supported) const {
  only_json(field, nlohmann::json(supported));
}

void Config::only(std::string_view field, std::int64_t supported) const {
  only_json(field, nlohmann::json(supported));
}

void Config::only_json(std::string_view field, const nlohmann::json& supported) const {
  const auto* const value = find(field);
  if (value != nullptr && *value != supported)
    fail(field, brief(*value) + " is not supported, expected " + brief(supported));
}

}  // namespace engines
