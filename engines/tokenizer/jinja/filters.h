// SPDX-License-Identifier: Apache-2.0
// The filters and the tests, by name.
#pragma once

#include <string_view>
#include <vector>

#include "engines/tokenizer/jinja/arguments.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// subject | name(arguments). A filter that is not supported is an error.
Value call_filter(std::string_view name, const Value& subject, Arguments& arguments);

// subject is name(arguments).
bool call_test(std::string_view name, const Value& subject, Arguments& arguments);

bool is_filter(std::string_view name);
bool is_test(std::string_view name);

struct Filter {
  std::string_view name;
  Value (*call)(const Value& subject, Arguments& arguments);
};
// Those that go through the elements of something.
const std::vector<Filter>& sequence_filters();

}  // namespace engines::jinja
