// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/schema_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;

Json list_of(const Json& value) {
  return value.is_array() ? value : Json::array({value});
}

bool contains(const Json& list, const Json& value) {
  return std::ranges::find(list, value) != list.end();
}

Json common(const Json& a, const Json& b) {
  Json both = Json::array();
  for (const Json& one : list_of(a)) {
    if (contains(list_of(b), one)) both.push_back(one);
    // Whole numbers are numbers.
    else if (one == "integer" && contains(list_of(b), "number"))
      both.push_back(one);
    else if (one == "number" && contains(list_of(b), "integer"))
      both.push_back("integer");
  }
  return both;
}

void merge_properties(Json& into, const Json& from) {
  for (const auto& [name, schema] : from.items()) {
    if (!into.contains(name))
      into[name] = schema;
    else if (into[name] != schema)
      into[name] = Json{{"allOf", Json::array({into[name], schema})}};
  }
}

bool fits_one_type(const Json& value, const std::string& type) {
  if (type == "integer")
    return value.is_number_integer() ||
           (value.is_number() &&
            value == static_cast<double>(static_cast<std::int64_t>(value.get<double>())));
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return value.type_name() == type;
}

}  // namespace

bool is_annotation(const std::string& keyword) {
  constexpr std::array<std::string_view, 16> names{
      "$schema",   "$id",         "$anchor",         "$comment",        "$defs",      "definitions",
      "title",     "description", "default",         "examples",        "deprecated", "readOnly",
      "writeOnly", "format",      "contentEncoding", "contentMediaType"};
  return std::ranges::find(names, keyword) != names.end() || keyword.starts_with("x-");
}

bool fits_type(const Json& value, const Json& schema) {
  if (schema.contains("const") && schema["const"] != value) return false;
  if (schema.contains("enum") && !contains(schema["enum"], value)) return false;
  if (!schema.contains("type")) return true;
  const Json types = list_of(schema["type"]);
  return std::ranges::any_of(types, [&](const Json& type) {
    return type.is_string() && fits_one_type(value, type.get<std::string>());
  });
}

Json merged(const Json& a, const Json& b, const std::string& place) {
  if (!a.is_object() || !b.is_object()) {
    if (a == true) return b;
    if (b == true) return a;
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: nothing fits it", place));
  }
  Json all = a;
  for (const auto& [keyword, value] : b.items()) {
    if (!all.contains(keyword)) {
      all[keyword] = value;
    } else if (keyword == "properties" && value.is_object() && all[keyword].is_object()) {
      merge_properties(all[keyword], value);
    } else if (keyword == "required" && value.is_array() && all[keyword].is_array()) {
      for (const Json& name : value)
        if (!contains(all[keyword], name)) all[keyword].push_back(name);
    } else if (keyword == "type") {
      all[keyword] = common(all[keyword], value);
    } else if (keyword == "allOf" && value.is_array() && all[keyword].is_array()) {
      for (const Json& one : value)
        all[keyword].push_back(one);
    } else if (!is_annotation(keyword) && all[keyword] != value) {
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("{}/{}: is said twice, which is not supported", place, keyword));
    }
  }
  return all;
}

}  // namespace engines::decoding
