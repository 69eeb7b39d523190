// SPDX-License-Identifier: Apache-2.0
// Reading a config.json: every value is asked for by name, with the range that the code can work with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engines {

// A JSON object from a file. Every failure of a field is MODEL_INVALID: "<file>: <field>: <value> ...,
// expected ...". A null value counts as absent. Files over 16 MiB, nested deeper than 64, or with a key that
// comes twice are MODEL_INVALID, too (tokenizer.json has its own reader).
class Config {
 public:
  // `shown` is the path in messages, relative to the model directory ("transformer/config.json"). No such
  // file is WEIGHTS_MISSING, one that cannot be read IO_ERROR.
  static Config read(const std::filesystem::path& file, std::string shown);
  Config(nlohmann::json object, std::string shown);

  bool has(std::string_view field) const;
  bool is_null(std::string_view field) const;  // there, and null
  std::int64_t integer(std::string_view field, std::int64_t low, std::int64_t high) const;
  std::int64_t integer_or(std::string_view field, std::int64_t fallback, std::int64_t low,
                          std::int64_t high) const;
  double number(std::string_view field, double low, double high) const;
  double number_or(std::string_view field, double fallback, double low, double high) const;
  bool boolean_or(std::string_view field, bool fallback) const;
  std::string text(std::string_view field) const;
  std::string text_or(std::string_view field, std::string_view fallback) const;
  std::vector<std::int64_t> integers(std::string_view field, std::size_t low_count, std::size_t high_count,
                                     std::int64_t low, std::int64_t high) const;
  std::vector<double> numbers(std::string_view field, std::size_t low_count, std::size_t high_count,
                              double low, double high) const;
  std::vector<std::string> texts_or(std::string_view field, std::vector<std::string> fallback) const;
  std::optional<Config> object(std::string_view field) const;

  // Throws MODEL_INVALID unless the field is absent or equals the only value the code supports.
  void only(std::string_view field, std::string_view supported) const;
  void only(std::string_view field, bool supported) const;
  void only(std::string_view field, std::int64_t supported) const;
  // Without these two a literal would be taken for a bool, or for either kind of number.
  void only(std::string_view field, const char* supported) const { only(field, std::string_view(supported)); }
  void only(std::string_view field, int supported) const { only(field, std::int64_t{supported}); }

  // MODEL_INVALID "<file>: <field>: <what>".
  [[noreturn]] void fail(std::string_view field, const std::string& what) const;
  const std::string& shown() const { return shown_; }

 private:
  const nlohmann::json* find(std::string_view field) const;
  void only_json(std::string_view field, const nlohmann::json& supported) const;
  nlohmann::json object_;
  std::string shown_;
};

}  // namespace engines
