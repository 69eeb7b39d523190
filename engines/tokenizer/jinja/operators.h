// SPDX-License-Identifier: Apache-2.0
// Python's operators on values.
#pragma once

#include <string_view>
#include <vector>

#include "engines/tokenizer/jinja/runtime.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

Value unary(Runtime& runtime, std::string_view symbol, const Value& operand);             // - + not
Value binary(Runtime& runtime, std::string_view symbol, const Value& a, const Value& b);  // + - * / // % **
// == != < <= > >= in, "not in"
bool compare(Runtime& runtime, std::string_view symbol, const Value& a, const Value& b);

// Python's <; values of different types have no order.
bool less(Runtime& runtime, const Value& a, const Value& b);
bool contains(Runtime& runtime, const Value& container, const Value& item);

// The elements that a loop or a filter goes through: characters of a string, keys of a dict, nothing of an
// undefined value.
std::vector<Value> elements(Runtime& runtime, const Value& value);

// object.name: methods first, then members; undefined when there is neither.
Value attribute(Runtime& runtime, const Value& object, std::string_view name);
// object[index]: members first, then methods.
Value subscript(Runtime& runtime, const Value& object, const Value& index);
// object[start:stop:step], where None stands for an absent part.
Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);

}  // namespace engines::jinja
