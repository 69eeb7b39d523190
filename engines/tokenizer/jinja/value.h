// SPDX-License-Identifier: Apache-2.0
// The values of a template: Python's, as far as templates see them.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace engines::jinja {

class Value;
struct Macro;

struct Undefined {
  std::string name;  // of what was looked for, for messages
};
struct None {};

// Never changes once it is a value, so lists and dicts cannot contain themselves.
struct List {
  std::vector<Value> items;
  bool tuple = false;
  int depth = 1;  // of nesting
};

// A dict, a namespace, or what `loop` is. Keys are strings, in order of insertion. Only a namespace changes.
struct Object {
  enum class Kind { dict, name_space, loop };
  Kind kind = Kind::dict;
  std::vector<std::pair<std::string, Value>> members;
  int depth = 1;

  const Value* find(std::string_view key) const;
  void set(std::string_view key, Value value);
};

// A global function, a macro of the template, or a method together with what it is a method of.
struct Callable;

class Value {
 public:
  Value() = default;  // undefined
  Value(None) : data_(None{}) {}
  Value(Undefined undefined) : data_(std::move(undefined)) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::make_shared<const std::string>(std::move(value))) {}
  Value(const char*) = delete;  // would be a bool
  Value(std::shared_ptr<const List> value) : data_(std::move(value)) {}
  Value(std::shared_ptr<Object> value) : data_(std::move(value)) {}
  Value(std::shared_ptr<const Callable> value) : data_(std::move(value)) {}

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }

  // Null when the value is of another kind. A bool is no integer here; see as_number.
  const Undefined* undefined() const { return std::get_if<Undefined>(&data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  const std::string* string() const { return pointee<const std::string>(); }
  const List* list() const { return pointee<const List>(); }
  Object* object() const { return pointee<Object>(); }
  const Callable* callable() const { return pointee<const Callable>(); }
  const Object* dict() const;

  bool truthy() const;
  int depth() const;              // of nested containers
  std::string type_name() const;  // Python's: "str", "dict", ...

 private:
  template <class T>
  T* pointee() const {
    const auto* const pointer = std::get_if<std::shared_ptr<T>>(&data_);
    return pointer == nullptr ? nullptr : pointer->get();
  }

  std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const std::string>,
               std::shared_ptr<const List>, std::shared_ptr<Object>, std::shared_ptr<const Callable>>
      data_;
};

struct Callable {
  std::string name;
  const Macro* macro = nullptr;
  Value self;  // undefined unless it is a method
};

// A bool or a number as Python computes with it.
struct Number {
  bool real = false;
  std::int64_t integer = 0;
  double number = 0;  // of either kind
};
// Whether the value is a bool or a number.
bool as_number(const Value& value, Number& number);

// Python's ==: numbers compare by value, containers by their elements.
bool equal(const Value& a, const Value& b);

Value from_json(const nlohmann::ordered_json& json);

}  // namespace engines::jinja
