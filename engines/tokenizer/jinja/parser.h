// SPDX-License-Identifier: Apache-2.0
// From the source of a template to its tree.
#pragma once

#include <string_view>

#include "engines/tokenizer/jinja/ast.h"

namespace engines::jinja {

// MODEL_INVALID with the line, for a syntax error and for a statement that is not supported.
Body parse_template(std::string_view source);

}  // namespace engines::jinja
