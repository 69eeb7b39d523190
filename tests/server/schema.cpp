// SPDX-License-Identifier: Apache-2.0
#include "tests/server/schema.h"

#include <algorithm>

namespace roundhouse::test {
namespace {

using nlohmann::json;

bool is_of_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

std::string type_problem(const json& schema, const json& value) {
  if (!schema.contains("type")) return "";
  const json types = schema.at("type").is_array() ? schema.at("type") : json::array({schema.at("type")});
  const bool fits = std::any_of(types.begin(), types.end(),
                                [&](const json& type) { return is_of_type(value, type.get<std::string>()); });
  return fits ? "" : " is " + std::string(value.type_name()) + ", expected " + types.dump();
}

std::string value_problem(const json& schema, const json& value) {
  if (schema.contains("const") && schema.at("const") != value) return " is not " + schema.at("const").dump();
  if (schema.contains("enum")) {
    const json& values = schema.at("enum");
    if (std::find(values.begin(), values.end(), value) == values.end()) return " is none of " + values.dump();
  }
  if (value.is_number() && schema.contains("minimum") && value < schema.at("minimum")) return " is too small";
  if (value.is_number() && schema.contains("maximum") && value > schema.at("maximum")) return " is too large";
  return "";
}

std::string member_problem(const json& document, const json& schema, const json& value,
                           const std::string& where) {
  if (value.is_array() && schema.contains("items")) {
    for (const json& item : value) {
      const std::string problem = schema_problem(document, schema.at("items"), item, where + "[]");
      if (!problem.empty()) return problem;
    }
  }
  if (!value.is_object()) return "";
  for (const json& name : schema.value("required", json::array())) {
    if (!value.contains(name.get<std::string>())) return where + " lacks " + name.dump();
  }
  const json parts = schema.value("properties", json::object());
  for (const auto& [name, part] : parts.items()) {
    if (!value.contains(name)) continue;
    const std::string problem = schema_problem(document, part, value.at(name), where + "." + name);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace

std::string schema_problem(const json& document, const json& schema, const json& value,
                           const std::string& where) {
  if (schema.contains("$ref")) {
    const std::string reference = schema.at("$ref");
    return schema_problem(document, document.at(json::json_pointer(reference.substr(1))), value, where);
  }
  std::string problem = type_problem(schema, value);
  if (problem.empty()) problem = value_problem(schema, value);
  return problem.empty() ? member_problem(document, schema, value, where) : where + problem;
}

}  // namespace roundhouse::test
