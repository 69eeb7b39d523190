// SPDX-License-Identifier: Apache-2.0
// The functions that every template can call.
#pragma once

#include <string_view>

#include "engines/tokenizer/jinja/arguments.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// The function of that name, or an undefined value.
Value find_global(std::string_view name);

Value call_global(std::string_view name, Arguments& arguments);

}  // namespace engines::jinja
