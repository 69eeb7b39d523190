// SPDX-License-Identifier: Apache-2.0
// Operations on text that methods and filters share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engines/tokenizer/jinja/runtime.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// White space and, as Python has it, the control characters that separate records.
bool is_python_space(char32_t c);

// Without the given characters (a str) at its ends, or without white space when `characters` is none.
std::string_view strip(std::string_view text, const Value& characters, bool left, bool right);
std::string lower(std::string_view text);
std::string upper(std::string_view text);
std::string capitalize(std::string_view text);
// At most `most` times, always when negative.
std::string replace(Runtime& runtime, std::string_view text, std::string_view old, std::string_view with,
                    std::int64_t most);

}  // namespace engines::jinja
