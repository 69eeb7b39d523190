// SPDX-License-Identifier: Apache-2.0
// The fields of a request's JSON, as one of our types or a refusal that names field, value and expectation.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roundhouse::host {

// Reads one object. Fields that nobody asks for are ignored, and null counts as absent. Every function throws
// INVALID_ARGUMENT for a field of another type.
class JsonFields {
 public:
  // `object` is one; `name` stands before its fields in messages: "override_settings".
  explicit JsonFields(nlohmann::json object, std::string name = {});
  // The body of a request. Throws INVALID_ARGUMENT for what is no JSON, no object, nested deeper than 64, or
  // not UTF-8. An empty body is an object without fields only where `may_be_empty`.
  static JsonFields parse(std::string_view body, bool may_be_empty = false);

  bool has(const std::string& field) const { return find(field) != nullptr; }
  std::optional<std::string> text(const std::string& field) const;
  // A number without a fraction: 7 and 7.0.
  std::optional<std::int64_t> integer(const std::string& field) const;
  // Between the two, else a refusal.
  std::optional<std::int64_t> integer(const std::string& field, std::int64_t least, std::int64_t most) const;
  std::optional<double> number(const std::string& field) const;
  std::optional<double> number(const std::string& field, double least, double most) const;
  bool boolean(const std::string& field, bool otherwise) const;
  // One of the words, or none.
  std::optional<std::string> word(const std::string& field,
                                  std::initializer_list<std::string_view> words) const;
  std::optional<std::string> word(const std::string& field, const std::vector<std::string>& words) const;
  std::optional<JsonFields> object(const std::string& field) const;
  // An array, or a single value as an array of one.
  std::optional<nlohmann::json> list(const std::string& field) const;

  const nlohmann::json& value() const { return object_; }
  // Throws INVALID_ARGUMENT "<field>: <value> <problem>"; without the value of a list, of an object and of
  // what people write (prompts, messages and the like): messages are logged.
  [[noreturn]] void refuse(const std::string& field, const std::string& problem) const;

 private:
  [[noreturn]] void refuse_type(const std::string& field, const std::string& expected) const;
  std::string path_of(const std::string& field) const;  // with the object's name before it
  const nlohmann::json* find(const std::string& field) const;

  nlohmann::json object_;
  std::string name_;
};

// At most 80 characters of a value, for messages.
std::string shown(const nlohmann::json& value);

}  // namespace roundhouse::host
