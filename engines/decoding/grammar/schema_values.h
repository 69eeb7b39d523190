// SPDX-License-Identifier: Apache-2.0
// The values of JSON as expressions, and the keywords that say which.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/decoding/grammar/expression.h"

namespace engines::decoding {

// Rules that every grammar of a schema has: the schema, any JSON value, a character of a string.
constexpr std::size_t kAnyValue = 1, kStringCharacter = 2, kFixedRules = 3;

// What may stand between tokens: nothing, a blank, or a line end with some.
Expr json_space();
Expr json_string(std::uint32_t least, std::uint32_t most);  // in characters
Expr json_number();
Expr json_list(const Expr& item, std::uint32_t least, std::uint32_t most);
// Of each of `first` one, then any number of `rest`, which may be null: none.
Expr json_tuple(const std::vector<Expr>& first, const Expr& rest, std::uint32_t least, std::uint32_t most);

struct JsonMember {
  Expr expression;  // name and value
  bool required = false;
};
// An object of these in this order, then any number of `others`, which may be null: none.
Expr json_members(const std::vector<JsonMember>& members, const Expr& others);
// A string that is none of these names.
Expr json_name_but(const std::vector<std::string>& names);

// A string, number, integer, boolean or null that the keywords of `schema` allow.
Expr json_scalar(const nlohmann::ordered_json& schema, const std::string& type, const std::string& place);

// minItems and the like. INVALID_ARGUMENT for what is not a small number.
std::uint32_t count_of(const nlohmann::ordered_json& schema, const char* keyword, std::uint32_t otherwise,
                       const std::string& place);
bool is_type(const std::string& name);
// Of a schema without `type`: those of which its keywords speak; none where they speak of nothing.
std::vector<std::string> implied_types(const nlohmann::ordered_json& schema);
// INVALID_ARGUMENT by name and path for a keyword that is not computed.
void check_keywords(const nlohmann::ordered_json& schema, const std::string& place);

}  // namespace engines::decoding
