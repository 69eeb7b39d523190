// SPDX-License-Identifier: Apache-2.0
// What several schemas of one value say together.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace engines::decoding {

// The members of both. INVALID_ARGUMENT "<place>: ..." for a keyword of which the two say different things
// that have no simple meaning together.
nlohmann::ordered_json merged(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b,
                              const std::string& place);

// Whether the keyword holds a value to nothing.
bool is_annotation(const std::string& keyword);

// Whether a value fits the schema's type, enum and const, as far as they are there.
bool fits_type(const nlohmann::ordered_json& value, const nlohmann::ordered_json& schema);

}  // namespace engines::decoding
