// SPDX-License-Identifier: Apache-2.0
// Taking arguments.
#include "engines/tokenizer/jinja/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/weights/json_file.h"

namespace engines::jinja {

std::optional<Value> Arguments::take_if(std::string_view name) {
  if (has_positional()) return positional_[at_++];
  return take_named(name);
}

std::optional<Value> Arguments::take_named(std::string_view name) {
  const auto place =
      std::find_if(named_.begin(), named_.end(), [&](const auto& n) { return n.first == name; });
  if (place == named_.end()) return std::nullopt;
  Value value = std::move(place->second);
  named_.erase(place);
  return value;
}

Value Arguments::take(std::string_view name) {
  auto value = take_if(name);
  if (!value) fail("the argument '" + std::string(name) + "' is missing");
  return *std::move(value);
}

Value Arguments::take(std::string_view name, Value fallback) {
  auto value = take_if(name);
  return value ? *std::move(value) : std::move(fallback);
}

std::string Arguments::take_text(std::string_view name) {
  const Value value = take(name);
  if (value.string() == nullptr)
    fail("the argument '" + std::string(name) + "' is " + value.type_name() + ", expected str");
  return *value.string();
}

std::string Arguments::take_text(std::string_view name, std::string_view fallback) {
  const auto value = take_if(name);
  if (!value) return std::string(fallback);
  if (value->string() == nullptr)
    fail("the argument '" + std::string(name) + "' is " + value->type_name() + ", expected str");
  return *value->string();
}

std::int64_t Arguments::take_integer(std::string_view name, std::int64_t fallback) {
  const auto value = take_if(name);
  if (!value) return fallback;
  Number number;
  if (!as_number(*value, number) || number.real)
    fail("the argument '" + std::string(name) + "' is " + value->type_name() + ", expected int");
  return number.integer;
}

std::vector<Value> Arguments::rest_positional() {
  std::vector<Value> rest(positional_.begin() + static_cast<std::ptrdiff_t>(at_), positional_.end());
  at_ = positional_.size();
  return rest;
}

Arguments::Named Arguments::rest_named() {
  return std::exchange(named_, {});
}

void Arguments::finish() const {
  if (has_positional()) fail(fmt::format("takes fewer than {} arguments", positional_.size()));
  if (!named_.empty()) fail("takes no argument named " + in_quotes(named_.front().first));
}

}  // namespace engines::jinja
