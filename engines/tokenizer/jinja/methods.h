// SPDX-License-Identifier: Apache-2.0
// Python's methods of strings and dicts.
#pragma once

#include <string>
#include <string_view>

#include "engines/tokenizer/jinja/arguments.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// Whether Python's type has a method of that name, supported here or not: it hides a member of that name.
bool is_method(const Value& object, std::string_view name);

// Calls a method; one that is not supported is an error.
Value call_method(const Value& object, std::string_view name, Arguments& arguments);

// The pairs of key and value, as a list of tuples.
Value items_of(Runtime& runtime, const Object& dict);

}  // namespace engines::jinja
