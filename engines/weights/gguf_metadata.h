// SPDX-License-Identifier: Apache-2.0
// The key-values of a GGUF file: every value is asked for by key, with the range that the code can work with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/weights/gguf_types.h"

namespace engines {

// A checked value where it lies in the file: a scalar's bytes, a text's bytes, or those of an array's
// elements (texts with their lengths before them).
struct GgufValue {
  GgufKind kind{};
  GgufKind element{};       // of an array
  std::uint64_t count = 0;  // of an array
  std::span<const std::byte> bytes;
};

// Borrows from the file. Every failure is MODEL_INVALID: "<file>: <key>: <value> ..., expected ...".
class GgufMetadata {
 public:
  explicit GgufMetadata(std::string shown) : shown_(std::move(shown)) {}
  // False when the key is there already.
  bool add(std::string key, const GgufValue& value) { return values_.emplace(std::move(key), value).second; }

  bool has(std::string_view key) const { return values_.contains(key); }
  std::vector<std::string> keys() const;  // sorted
  // The value as it lies in the file, or null: for who writes it again.
  const GgufValue* find(std::string_view key) const;
  // Integers of any width and sign.
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  std::int64_t integer_or(std::string_view key, std::int64_t fallback, std::int64_t low,
                          std::int64_t high) const;
  // Numbers of any kind; not finite ones are refused.
  double number(std::string_view key, double low, double high) const;
  double number_or(std::string_view key, double fallback, double low, double high) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::string text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;

  [[noreturn]] void fail(std::string_view key, const std::string& what) const;
  const std::string& shown() const { return shown_; }

 private:
  const GgufValue& get(std::string_view key) const;
  const GgufValue& array(std::string_view key, const char* expected) const;

  std::string shown_;
  std::map<std::string, GgufValue, std::less<>> values_;
};

}  // namespace engines
