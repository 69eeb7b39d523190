// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/schema_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engines/decoding/grammar/schema_merge.h"
#include "engines/decoding/grammar/schema_values.h"
#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 64;
constexpr std::size_t kMostRules = 10'000;

class SchemaReader {
 public:
  explicit SchemaReader(const Json& root) : root_(root) {}

  Grammar read() {
    rules_.resize(kFixedRules);
    rules_[kAnyValue] = any_value();
    rules_[kStringCharacter] = json_character(all_but({}));
    rules_[0] = schema(root_, "#", 0);
    return {std::move(rules_)};
  }

 private:
  [[noreturn]] static void fail(const std::string& place, const std::string& what) {
    throw Error(RH_INVALID_ARGUMENT, fmt::format("response_format: schema {}: {}", place, what));
  }

  static Expr any_value() {
    const Expr value = rule(kAnyValue);
    const Expr member = sequence({json_string(0, kNoLimit), literal(":"), json_space(), value});
    return choice({literal("null"), literal("true"), literal("false"), json_number(),
                   json_string(0, kNoLimit), json_list(value, 0, kNoLimit), json_members({}, member)});
  }

  // A rule of its own, so that what is repeated is there once.
  Expr once(Expr expression, const std::string& place) {
    if (rules_.size() >= kMostRules) fail(place, "is too large");
    rules_.push_back(std::move(expression));
    return rule(rules_.size() - 1);
  }

  Expr schema(const Json& given, const std::string& place, int depth) {
    if (depth > kDeepest) fail(place, "is nested too deeply");
    if (given.is_boolean() && given.get<bool>()) return rule(kAnyValue);
    if (!given.is_object()) fail(place, "is not a schema that something fits");
    if (given.contains("$ref")) return reference(given, place);
    if (given.contains("allOf")) return all_of(given, place, depth);
    for (const char* keyword : {"anyOf", "oneOf"})
      if (given.contains(keyword)) return any_of(given, keyword, place, depth);
    if (given.contains("const")) return values(Json::array({given["const"]}), given, place);
    if (given.contains("enum")) {
      if (!given["enum"].is_array()) fail(place + "/enum", "is not an array");
      return values(given["enum"], given, place);
    }
    return typed(given, place, depth);
  }

  Expr values(const Json& list, const Json& given, const std::string& place) {
    for (const auto& [keyword, value] : given.items()) {
      if (keyword != "const" && keyword != "enum" && keyword != "type" && !is_annotation(keyword))
        fail(place + "/" + keyword, "is not supported beside enum or const");
    }
    std::vector<Expr> ways;
    for (const Json& one : list)
      if (fits_type(one, given))
        ways.push_back(literal(one.dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (ways.empty()) fail(place, "nothing fits it");
    return choice(std::move(ways));
  }

  // A rule for each place that is referred to, so that schemas may contain themselves.
  Expr reference(const Json& given, const std::string& place) {
    if (!given["$ref"].is_string()) fail(place + "/$ref", "is not a string");
    const std::string target = given["$ref"].get<std::string>();
    for (const auto& [keyword, value] : given.items())
      if (keyword != "$ref" && !is_annotation(keyword))
        fail(place + "/" + keyword, "is not supported beside $ref");
    return rule(rule_of(target, place));
  }

  std::size_t rule_of(const std::string& target, const std::string& place) {
    if (const auto known = references_.find(target); known != references_.end()) return known->second;
    const std::size_t index = rules_.size();
    if (index >= kMostRules) fail(place, "refers to too many places");
    rules_.emplace_back();
    references_.emplace(target, index);
    Expr made = schema(resolved(target, place), target, 0);
    rules_[index] = std::move(made);
    return index;
  }

  const Json& resolved(const std::string& target, const std::string& place) const {
    if (!target.starts_with('#')) fail(place + "/$ref", "refers to another document");
    try {
      return root_.at(Json::json_pointer(target.substr(1)));
    } catch (const Json::exception&) {
      fail(place + "/$ref", fmt::format("refers to '{}', which is not there", target));
    }
  }

  // What stands beside anyOf, oneOf and allOf holds for each of their schemas.
  static Json without(const Json& given, const char* keyword) {
    Json rest = given;
    rest.erase(keyword);
    for (const char* passed : {"$defs", "definitions", "$schema", "$id", "title", "description", "default"})
      rest.erase(passed);
    return rest;
  }

  Json dereferenced(const Json& given, const std::string& place) const {
    Json one = given;
    for (int i = 0; one.is_object() && one.contains("$ref") && one["$ref"].is_string(); ++i) {
      if (i > kDeepest) fail(place, "refers to itself");
      const Json rest = without(one, "$ref");
      const Json target = resolved(one["$ref"].get<std::string>(), place);
      one = rest.empty() ? target : merged(rest, target, place);
    }
    return one;
  }

  Expr any_of(const Json& given, const char* keyword, const std::string& place, int depth) {
    const std::string where = place + "/" + keyword;
    if (!given[keyword].is_array() || given[keyword].empty()) fail(where, "is not an array with schemas");
    const Json rest = without(given, keyword);
    std::vector<Expr> ways;
    for (std::size_t i = 0; i < given[keyword].size(); ++i) {
      const std::string one = fmt::format("{}/{}", where, i);
      const Json& branch = given[keyword][i];
      if (branch == false) continue;
      ways.push_back(rest.empty() ? schema(branch, one, depth + 1)
                                  : schema(merged(rest, dereferenced(branch, one), one), one, depth + 1));
    }
    if (ways.empty()) fail(where, "nothing fits it");
    return choice(std::move(ways));
  }

  Expr all_of(const Json& given, const std::string& place, int depth) {
    if (!given["allOf"].is_array()) fail(place + "/allOf", "is not an array");
    Json all = without(given, "allOf");
    for (const Json& one : given["allOf"])
      all = merged(all, dereferenced(one, place + "/allOf"), place + "/allOf");
    return schema(all, place, depth + 1);
  }

  Expr typed(const Json& given, const std::string& place, int depth) {
    check_keywords(given, place);
    const std::vector<std::string> types = types_of(given, place);
    if (types.empty() && !given.contains("type")) return rule(kAnyValue);
    std::vector<Expr> ways;
    for (const std::string& type : types) {
      if (type == "object")
        ways.push_back(object(given, place, depth));
      else if (type == "array")
        ways.push_back(array(given, place, depth));
      else
        ways.push_back(json_scalar(given, type, place));
    }
    if (ways.empty()) fail(place, "nothing fits it");
    return choice(std::move(ways));
  }

  std::vector<std::string> types_of(const Json& given, const std::string& place) const {
    const auto place_of_type = given.find("type");
    if (place_of_type == given.end()) return implied_types(given);
    std::vector<std::string> types;
    const Json list = place_of_type->is_array() ? *place_of_type : Json::array({*place_of_type});
    for (const Json& type : list) {
      if (!type.is_string() || !is_type(type.get<std::string>())) fail(place + "/type", "is not a type");
      types.push_back(type.get<std::string>());
    }
    return types;
  }

  Expr array(const Json& given, const std::string& place, int depth) {
    const std::uint32_t least = count_of(given, "minItems", 0, place);
    const std::uint32_t most = count_of(given, "maxItems", kNoLimit, place);
    if (most < least) fail(place + "/maxItems", "is less than minItems");
    std::vector<Expr> first;
    if (given.contains("prefixItems")) {
      if (!given["prefixItems"].is_array()) fail(place + "/prefixItems", "is not an array");
      for (std::size_t i = 0; i < given["prefixItems"].size(); ++i)
        first.push_back(
            schema(given["prefixItems"][i], fmt::format("{}/prefixItems/{}", place, i), depth + 1));
    }
    const bool closed = given.contains("items") && given["items"] == false;
    Expr rest = rule(kAnyValue);
    if (closed)
      rest = nullptr;
    else if (given.contains("items"))
      rest = once(schema(given["items"], place + "/items", depth + 1), place);
    if (first.empty() && rest) return json_list(rest, least, most);
    if (!rest && least > first.size()) fail(place + "/minItems", "no array is so long");
    return json_tuple(first, rest, least, most);
  }

  Expr object(const Json& given, const std::string& place, int depth) {
    const Json properties = given.value("properties", Json::object());
    if (!properties.is_object()) fail(place + "/properties", "is not an object");
    std::set<std::string> required;
    for (const Json& name : given.value("required", Json::array())) {
      if (!name.is_string()) fail(place + "/required", "has an entry that is not a string");
      required.insert(name.get<std::string>());
    }
    std::vector<JsonMember> members;
    for (const auto& [name, value] : properties.items()) {
      if (value == false && !required.contains(name)) continue;
      const std::string where = fmt::format("{}/properties/{}", place, name);
      members.push_back(
          {once(member(name, schema(value, where, depth + 1)), where), required.erase(name) > 0});
    }
    Expr others = additional(given, properties, place, depth);
    for (const std::string& name : required) {
      if (given.contains("additionalProperties") && given["additionalProperties"] == false)
        fail(place + "/required", fmt::format("names '{}', which may not be there", name));
      members.push_back({member(name, rule(kAnyValue)), true});
      others = nullptr;  // a name might come twice
    }
    return json_members(members, others);
  }

  static Expr member(const std::string& name, Expr value) {
    return sequence({literal(Json(name).dump(-1, ' ', false, Json::error_handler_t::replace)), literal(":"),
                     json_space(), std::move(value)});
  }

  // One of the members that `properties` does not name; null where there are none.
  Expr additional(const Json& given, const Json& properties, const std::string& place, int depth) {
    const auto said = given.find("additionalProperties");
    if (said == given.end() ? !properties.empty() : *said == false) return nullptr;
    std::vector<std::string> names;
    for (const auto& [name, value] : properties.items())
      names.push_back(name);
    Expr value =
        said == given.end() ? rule(kAnyValue) : schema(*said, place + "/additionalProperties", depth + 1);
    return once(sequence({json_name_but(names), literal(":"), json_space(), std::move(value)}), place);
  }

  const Json& root_;
  std::vector<Expr> rules_;
  std::map<std::string, std::size_t> references_;
};

}  // namespace

Grammar schema_grammar(const Json& schema) {
  return SchemaReader(schema).read();
}

}  // namespace engines::decoding
