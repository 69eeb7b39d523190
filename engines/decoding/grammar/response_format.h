// SPDX-License-Identifier: Apache-2.0
// What a request's response_format asks for.
#pragma once

#include <string>

#include "engines/decoding/grammar/expression.h"

namespace engines::decoding {

// JSON text: {"type": "json_object"}, {"type": "json_schema", "schema": {...}}, {"type": "regex", "pattern":
// ...}, {"type": "grammar", "grammar": ...}. Throws INVALID_ARGUMENT for what is none of these.
Grammar response_grammar(const std::string& response_format);

// Whether it asks for any text: {"type": "text"}.
bool is_any_text(const std::string& response_format);

}  // namespace engines::decoding
