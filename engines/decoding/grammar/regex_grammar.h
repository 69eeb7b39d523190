// SPDX-License-Identifier: Apache-2.0
// Regular expressions as grammars.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engines/decoding/grammar/expression.h"

namespace engines::decoding {

// What becomes of one character out of these in the text: itself, or how JSON writes it.
using CharWriter = std::function<Expr(const CharRanges&)>;

// The whole text fits `pattern`: literals, ., classes (\d \w \s \D \W \S, of ASCII), sets, groups (also
// (?:...) and named ones), |, * + ? {m,n} (lazy ones are the same), escapes, ^ and $ at the ends. `anywhere`:
// as in JSON Schema, where ^ and $ alone hold it to the ends of the text. Throws INVALID_ARGUMENT "<place>:
// ..." for what is not regular (references, look-around, word boundaries) and for what is damaged.
Expr regex(std::string_view pattern, const std::string& place, const CharWriter& write, bool anywhere);

}  // namespace engines::decoding
