// SPDX-License-Identifier: Apache-2.0
// JSON schemas as grammars of the JSON that they describe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engines/decoding/grammar/expression.h"

namespace engines::decoding {

// Every text that fits is valid JSON of the schema; not every such JSON fits: properties come in the schema's
// order, others than those that it names only where additionalProperties says so, white space is short,
// numbers have few digits. oneOf is read as anyOf. Keywords that hold nothing (title, format, default, ...)
// are passed over, but for the formats date, time, date-time and uuid; any other that is not computed is
// INVALID_ARGUMENT by name and path, and so is a schema that nothing fits.
Grammar schema_grammar(const nlohmann::ordered_json& schema);

// Of a character within the quotes of a JSON string.
Expr json_character(const CharRanges& ranges);
// Texts of digits from low to high, which are equally long.
Expr digits_between(const std::string& low, const std::string& high);
// Integers low..high in decimal, without leading zeros.
Expr integer_range(std::int64_t low, std::int64_t high);

}  // namespace engines::decoding
