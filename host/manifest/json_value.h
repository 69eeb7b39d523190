// SPDX-License-Identifier: Apache-2.0
// A JSON value that knows where it stands, so that every refusal names file, field, value and expectation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roundhouse::host {

// Borrows the JSON and the path of the file. Every accessor throws ENGINE_BROKEN when the value is not what
// it asks for.
class JsonValue {
 public:
  JsonValue(const std::filesystem::path& file, const nlohmann::json& json, std::string field = {})
      : file_(&file), json_(&json), field_(std::move(field)) {}

  bool is_object() const { return json_->is_object(); }
  bool has(const std::string& key) const;
  JsonValue at(const std::string& key) const;  // of an object; a missing one is named
  std::vector<std::pair<std::string, JsonValue>> members() const;
  std::vector<JsonValue> items() const;
  // Refuses keys other than these; at the top level, keys that begin with "x-" are the author's own.
  void expect_only(std::initializer_list<std::string_view> keys) const;

  // UTF-8 of 1 to `longest` bytes without control characters: it is shown on terminals.
  std::string text(std::size_t longest) const;
  std::string text_or_empty(std::size_t longest) const;
  std::int64_t integer(std::int64_t lowest, std::int64_t highest) const;
  double finite_number() const;
  bool boolean() const;

  // Throws "<file>: <field>: <value> <problem>".
  [[noreturn]] void refuse(const std::string& problem) const;

 private:
  JsonValue child(const std::string& name, const nlohmann::json& json) const;
  std::string shown() const;

  const std::filesystem::path* file_;
  const nlohmann::json* json_;
  std::string field_;  // "capabilities.task[1]"; empty for the whole
};

}  // namespace roundhouse::host
