// SPDX-License-Identifier: Apache-2.0
// Kinds, truth and equality of values.
#include "engines/tokenizer/jinja/value.h"

#include <algorithm>
#include <limits>

namespace engines::jinja {

const Value* Object::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

void Object::set(std::string_view key, Value value) {
  for (auto& [name, old] : members) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  members.emplace_back(key, std::move(value));
}

const Object* Value::dict() const {
  const Object* const found = object();
  return found != nullptr && found->kind == Object::Kind::dict ? found : nullptr;
}

bool Value::truthy() const {
  if (is_undefined() || is_none()) return false;
  if (const auto* const value = boolean()) return *value;
  if (const auto* const value = integer()) return *value != 0;
  if (const auto* const value = real()) return *value != 0;
  if (const auto* const value = string()) return !value->empty();
  if (const auto* const value = list()) return !value->items.empty();
  if (const auto* const value = dict()) return !value->members.empty();
  return true;
}

int Value::depth() const {
  if (const auto* const value = list()) return value->depth;
  if (const auto* const value = dict()) return value->depth;
  return 0;
}

std::string Value::type_name() const {
  if (is_undefined()) return "undefined";
  if (is_none()) return "None";
  if (boolean() != nullptr) return "bool";
  if (integer() != nullptr) return "int";
  if (real() != nullptr) return "float";
  if (string() != nullptr) return "str";
  if (list() != nullptr) return list()->tuple ? "tuple" : "list";
  if (dict() != nullptr) return "dict";
  if (object() != nullptr) return object()->kind == Object::Kind::loop ? "loop" : "namespace";
  return "function";
}

bool as_number(const Value& value, Number& number) {
  if (const auto* const real = value.real()) {
    number = {true, 0, *real};
    return true;
  }
  if (const auto* const integer = value.integer()) {
    number = {false, *integer, static_cast<double>(*integer)};
    return true;
  }
  if (const auto* const boolean = value.boolean()) {
    number = {false, *boolean ? 1 : 0, *boolean ? 1.0 : 0.0};
    return true;
  }
  return false;
}

namespace {

bool equal_lists(const List& a, const List& b) {
  return a.tuple == b.tuple &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
}

bool equal_dicts(const Object& a, const Object& b) {
  return a.members.size() == b.members.size() &&
         std::all_of(a.members.begin(), a.members.end(), [&](const auto& member) {
           const Value* const other = b.find(member.first);
           return other != nullptr && equal(member.second, *other);
         });
}

}  // namespace

bool equal(const Value& a, const Value& b) {
  Number x;
  Number y;
  if (as_number(a, x) && as_number(b, y))
    return x.real || y.real ? x.number == y.number : x.integer == y.integer;
  if (a.is_undefined() || a.is_none())
    return a.is_undefined() == b.is_undefined() && a.is_none() == b.is_none();
  if (a.string() != nullptr && b.string() != nullptr) return *a.string() == *b.string();
  if (a.list() != nullptr && b.list() != nullptr) return equal_lists(*a.list(), *b.list());
  if (a.dict() != nullptr && b.dict() != nullptr) return equal_dicts(*a.dict(), *b.dict());
  if (a.object() != nullptr) return a.object() == b.object();
  return a.callable() != nullptr && a.callable() == b.callable();
}

Value from_json(const nlohmann::ordered_json& json) {
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::ordered_json::value_t::number_integer:
      return json.get<std::int64_t>();
    case nlohmann::ordered_json::value_t::number_unsigned: {
      const auto number = json.get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return static_cast<std::int64_t>(number);
      return static_cast<double>(number);
    }
    case nlohmann::ordered_json::value_t::number_float:
      return json.get<double>();
    case nlohmann::ordered_json::value_t::string:
      return json.get<std::string>();
    case nlohmann::ordered_json::value_t::array: {
      auto list = std::make_shared<List>();
      for (const auto& element : json) {
        list->items.push_back(from_json(element));
        list->depth = std::max(list->depth, list->items.back().depth() + 1);
      }
      return std::shared_ptr<const List>(std::move(list));
    }
    case nlohmann::ordered_json::value_t::object: {
      auto object = std::make_shared<Object>();
      for (const auto& [key, element] : json.items()) {
        object->members.emplace_back(key, from_json(element));
        object->depth = std::max(object->depth, object->members.back().second.depth() + 1);
      }
      return object;
    }
    default:
      return None{};
  }
}

}  // namespace engines::jinja
