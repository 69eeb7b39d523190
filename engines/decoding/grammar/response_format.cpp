// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/response_format.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engines/decoding/grammar/gbnf.h"
#include "engines/decoding/grammar/regex_grammar.h"
#include "engines/decoding/grammar/schema_grammar.h"
#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse_format(const std::string& what) {
  throw Error(RH_INVALID_ARGUMENT, "response_format: " + what);
}

Json parsed_format(const std::string& text) {
  Json format;
  try {
    format = parse_json<Json>(text, "response_format");
  } catch (const Error& error) {
    throw Error(RH_INVALID_ARGUMENT, error.what());
  }
  if (!format.is_object() || !format.contains("type") || !format["type"].is_string())
    refuse_format("is not an object with a type");
  return format;
}

std::string string_in(const Json& format, const char* field) {
  if (!format.contains(field) || !format[field].is_string())
    refuse_format(fmt::format("{}: is not a string", field));
  return format[field].get<std::string>();
}

}  // namespace

bool is_any_text(const std::string& response_format) {
  return parsed_format(response_format)["type"] == "text";
}

Grammar response_grammar(const std::string& response_format) {
  const Json format = parsed_format(response_format);
  const std::string type = format["type"].get<std::string>();
  if (type == "json_object") return schema_grammar({{"type", "object"}});
  if (type == "json_schema") {
    if (!format.contains("schema")) refuse_format("schema: is missing");
    return schema_grammar(format["schema"]);
  }
  if (type == "regex")
    return {{regex(string_in(format, "pattern"), "response_format: pattern", character, false)}};
  if (type == "grammar") return read_gbnf(string_in(format, "grammar"));
  refuse_format(fmt::format(
      "type: '{}' is not known, expected text, json_object, json_schema, regex or grammar", type));
}

}  // namespace engines::decoding
