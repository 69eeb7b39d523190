// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/gguf_metadata.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "engines/weights/json_file.h"

namespace engines {
namespace {

template <class T>
T load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// None for what is no integer, or beyond int64.
std::optional<std::int64_t> as_integer(GgufKind kind, std::span<const std::byte> bytes) {
  switch (kind) {
    case GgufKind::u8:
      return load<std::uint8_t>(bytes);
    case GgufKind::i8:
      return load<std::int8_t>(bytes);
    case GgufKind::u16:
      return load<std::uint16_t>(bytes);
    case GgufKind::i16:
      return load<std::int16_t>(bytes);
    case GgufKind::u32:
      return load<std::uint32_t>(bytes);
    case GgufKind::i32:
      return load<std::int32_t>(bytes);
    case GgufKind::i64:
      return load<std::int64_t>(bytes);
    case GgufKind::u64: {
      const auto value = load<std::uint64_t>(bytes);
      if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return static_cast<std::int64_t>(value);
      break;
    }
    default:
      break;
  }
  return std::nullopt;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto place = values_.find(key);
  return place == values_.end() ? nullptr : &place->second;
}

std::vector<std::string> GgufMetadata::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_)
    keys.push_back(key);
  return keys;
}

const GgufValue& GgufMetadata::get(std::string_view key) const {
  const auto place = values_.find(key);
  if (place == values_.end()) fail(key, "is missing");
  return place->second;
}

std::int64_t GgufMetadata::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  const GgufValue& value = get(key);
  const auto number = as_integer(value.kind, value.bytes);
  if (!number) fail(key, "is of type " + std::string(name_of(value.kind)) + ", expected an integer");
  if (*number < low || *number > high)
    fail(key, fmt::format("{} is out of range, expected {} to {}", *number, low, high));
  return *number;
}

std::int64_t GgufMetadata::integer_or(std::string_view key, std::int64_t fallback, std::int64_t low,
                                      std::int64_t high) const {
  return has(key) ? integer(key, low, high) : fallback;
}

double GgufMetadata::number(std::string_view key, double low, double high) const {
  const GgufValue& value = get(key);
  const auto whole = as_integer(value.kind, value.bytes);
  double number = 0;
  if (whole)
    number = static_cast<double>(*whole);
  else if (value.kind == GgufKind::f32)
    number = double{load<float>(value.bytes)};
  else if (value.kind == GgufKind::f64)
    number = load<double>(value.bytes);
  else
    fail(key, "is of type " + std::string(name_of(value.kind)) + ", expected a number");
  if (!(number >= low && number <= high))
    fail(key, fmt::format("{} is out of range, expected {} to {}", number, low, high));
  return number;
}

double GgufMetadata::number_or(std::string_view key, double fallback, double low, double high) const {
  return has(key) ? number(key, low, high) : fallback;
}

bool GgufMetadata::boolean_or(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const GgufValue& value = get(key);
  if (value.kind != GgufKind::boolean)
    fail(key, "is of type " + std::string(name_of(value.kind)) + ", expected a boolean");
  return value.bytes[0] != std::byte{0};
}

std::string GgufMetadata::text(std::string_view key) const {
  const GgufValue& value = get(key);
  if (value.kind != GgufKind::text)
    fail(key, "is of type " + std::string(name_of(value.kind)) + ", expected a text");
  return text_of(value.bytes);
}

std::string GgufMetadata::text_or(std::string_view key, std::string_view fallback) const {
  return has(key) ? text(key) : std::string(fallback);
}

const GgufValue& GgufMetadata::array(std::string_view key, const char* expected) const {
  const GgufValue& value = get(key);
  if (value.kind != GgufKind::array)
    fail(key, "is of type " + std::string(name_of(value.kind)) + ", expected an array of " + expected);
  return value;
}

std::vector<std::string> GgufMetadata::texts(std::string_view key) const {
  const GgufValue& value = array(key, "texts");
  if (value.element != GgufKind::text)
    fail(key, "is an array of " + std::string(name_of(value.element)) + ", expected one of texts");
  std::vector<std::string> texts;
  texts.reserve(value.count);
  auto rest = value.bytes;  // lengths were checked when the file was opened
  for (std::uint64_t i = 0; i < value.count; ++i) {
    const auto length = load<std::uint64_t>(rest);
    texts.push_back(text_of(rest.subspan(8, length)));
    rest = rest.subspan(8 + length);
  }
  return texts;
}

std::vector<std::int64_t> GgufMetadata::integers(std::string_view key) const {
  const GgufValue& value = array(key, "integers");
  const std::uint64_t size = bytes_of(value.element);
  std::vector<std::int64_t> numbers;
  if (value.count == 0) return numbers;
  numbers.reserve(value.count);
  for (std::uint64_t i = 0; i < value.count; ++i) {
    const auto number = size == 0 ? std::nullopt : as_integer(value.element, value.bytes.subspan(i * size));
    if (!number)
      fail(key, "is an array of " + std::string(name_of(value.element)) + ", expected one of integers");
    numbers.push_back(*number);
  }
  return numbers;
}

void GgufMetadata::fail(std::string_view key, const std::string& what) const {
  throw Error(RH_MODEL_INVALID, shown_ + ": " + std::string(key) + ": " + what);
}

}  // namespace engines
