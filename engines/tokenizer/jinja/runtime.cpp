// SPDX-License-Identifier: Apache-2.0
// The limits of a rendering.
#include "engines/tokenizer/jinja/runtime.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tensor/error.h"

namespace engines::jinja {
namespace {

constexpr std::uint64_t most_steps = 1'000'000;

}  // namespace

void fail_at(int line, const std::string& what) {
  throw Error(RH_MODEL_INVALID, fmt::format("chat template: line {}: {}", line, what));
}

Runtime::~Runtime() {
  for (const auto& name_space : name_spaces_)
    name_space->members.clear();
}

void Runtime::charge(std::uint64_t steps) {
  steps_ += std::min(steps, most_steps + 1);
  if (steps_ > most_steps) fail(fmt::format("takes more than {} steps", most_steps));
}

void Runtime::charge_search(std::size_t bytes, std::size_t wanted) {
  charge_bytes(bytes);
  charge(static_cast<std::uint64_t>(bytes) * wanted / 4096);  // both are at most longest_text
}

Value Runtime::text(std::string text) {
  if (text.size() > longest_text) fail(fmt::format("makes a text of more than {} bytes", longest_text));
  charge_bytes(text.size());
  return text;
}

Value Runtime::list(std::vector<Value> items, bool tuple) {
  charge(items.size() / 4);
  int depth = 0;
  for (const auto& item : items)
    depth = std::max(depth, item.depth());
  if (depth >= deepest_nesting) fail(fmt::format("nests lists deeper than {}", deepest_nesting));
  return std::make_shared<const List>(List{std::move(items), tuple, depth + 1});
}

Value Runtime::dict(std::vector<std::pair<std::string, Value>> members) {
  charge(members.size() / 4);
  auto object = std::make_shared<Object>();
  for (auto& [key, value] : members) {
    object->depth = std::max(object->depth, value.depth() + 1);
    object->set(key, std::move(value));
  }
  if (object->depth > deepest_nesting) fail(fmt::format("nests dicts deeper than {}", deepest_nesting));
  return object;
}

Value Runtime::name_space(std::vector<std::pair<std::string, Value>> members) {
  auto object = std::make_shared<Object>();
  object->kind = Object::Kind::name_space;
  for (auto& [key, value] : members)
    object->set(key, std::move(value));
  name_spaces_.push_back(object);
  return object;
}

}  // namespace engines::jinja
