// SPDX-License-Identifier: Apache-2.0
// Strings and numbers within the limits of a schema, and the keywords that are known.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "engines/decoding/grammar/regex_grammar.h"
#include "engines/decoding/grammar/schema_grammar.h"
#include "engines/decoding/grammar/schema_merge.h"
#include "engines/decoding/grammar/schema_values.h"
#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kGreatest = 999'999'999'999'999;  // every double of that size is exact
constexpr std::uint32_t kDecimals = 6;

[[noreturn]] void refuse_schema(const std::string& place, const std::string& what) {
  throw Error(RH_INVALID_ARGUMENT, fmt::format("response_format: schema {}: {}", place, what));
}

const char* pattern_of_format(const std::string& format) {
  if (format == "date") return "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$";
  if (format == "time") return "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$";
  if (format == "date-time")
    return "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$";
  if (format == "uuid") return "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
  return nullptr;
}

Expr string_value(const Json& schema, const std::string& place) {
  const bool counted = schema.contains("minLength") || schema.contains("maxLength");
  std::string pattern, where = place + "/pattern";
  if (schema.contains("pattern")) {
    if (!schema["pattern"].is_string()) refuse_schema(where, "is not a string");
    pattern = schema["pattern"].get<std::string>();
  } else if (schema.contains("format") && schema["format"].is_string() && !counted) {
    const char* known = pattern_of_format(schema["format"].get<std::string>());
    pattern = known == nullptr ? "" : known;
  }
  if (!pattern.empty() && counted) refuse_schema(where, "is not supported beside minLength or maxLength");
  if (!pattern.empty())
    return sequence({literal("\""), regex(pattern, "response_format: schema " + where, json_character, true),
                     literal("\"")});
  const std::uint32_t least = count_of(schema, "minLength", 0, place);
  const std::uint32_t most = count_of(schema, "maxLength", kNoLimit, place);
  if (most < least) refuse_schema(place + "/maxLength", "is less than minLength");
  return json_string(least, most);
}

// Numbers from low to high, without an end that is excluded.
struct Limits {
  double low = -static_cast<double>(kGreatest), high = static_cast<double>(kGreatest);
  bool low_excluded = false, high_excluded = false;
  bool given = false;

  // Of numbers that are n / scale with a whole n.
  std::int64_t lowest(double scale) const {
    const double n = std::ceil(low * scale);
    return static_cast<std::int64_t>(low_excluded && n <= low * scale ? n + 1 : n);
  }
  std::int64_t highest(double scale) const {
    const double n = std::floor(high * scale);
    return static_cast<std::int64_t>(high_excluded && n >= high * scale ? n - 1 : n);
  }
};

Limits limits_of(const Json& schema, const std::string& place) {
  Limits limits;
  const auto read = [&](const char* keyword, bool low, bool excluded) {
    const auto value = schema.find(keyword);
    if (value == schema.end()) return;
    if (!value->is_number()) refuse_schema(place + "/" + keyword, "is not a number");
    const double limit =
        std::clamp(value->get<double>(), -static_cast<double>(kGreatest), static_cast<double>(kGreatest));
    limits.given = true;
    double& known = low ? limits.low : limits.high;
    if (low ? limit < known : limit > known) return;
    known = limit;
    (low ? limits.low_excluded : limits.high_excluded) = excluded;
  };
  read("minimum", true, false);
  read("maximum", false, false);
  read("exclusiveMinimum", true, true);
  read("exclusiveMaximum", false, true);
  return limits;
}

Expr digits(std::uint32_t least, std::uint32_t most) {
  return repeat(character({{'0', '9'}}), least, most);
}

// Between two neighbouring whole numbers: as many decimals as are needed.
Expr narrow_number(const Limits& limits, const std::string& place) {
  double scale = 1;
  for (std::uint32_t decimals = 1; decimals <= kDecimals; ++decimals) {
    scale *= 10;
    std::int64_t low = limits.lowest(scale), high = limits.highest(scale);
    if (low > high) continue;
    const bool negative = high < 0;
    if (negative) low = std::exchange(high, -low) * -1;
    const auto whole = static_cast<std::int64_t>(static_cast<double>(low) / scale);
    const auto base = static_cast<std::int64_t>(scale);
    // A one before the decimals keeps their zeros.
    const std::string first = fmt::format("{}", base + low - whole * base);
    const std::string last = fmt::format("{}", base + high - whole * base);
    return sequence({literal(fmt::format("{}{}.", negative ? "-" : "", whole)),
                     digits_between(first.substr(1), last.substr(1))});
  }
  refuse_schema(place, "its limits are too near to each other");
}

Expr number_value(const Json& schema, const std::string& place) {
  const Limits limits = limits_of(schema, place);
  if (!limits.given) return json_number();
  const std::int64_t low = limits.lowest(1), high = limits.highest(1);
  if (low > high) {
    if (limits.low > limits.high) refuse_schema(place, "nothing fits it");
    return narrow_number(limits, place);
  }
  std::vector<Expr> ways{integer_range(low, high)};
  const Expr fraction = sequence({literal("."), digits(1, kDecimals)});
  if (std::max<std::int64_t>(low, 0) <= high - 1)
    ways.push_back(sequence({integer_range(std::max<std::int64_t>(low, 0), high - 1), fraction}));
  if (std::max<std::int64_t>(-high, 0) <= -low - 1)
    ways.push_back(
        sequence({literal("-"), integer_range(std::max<std::int64_t>(-high, 0), -low - 1), fraction}));
  return choice(std::move(ways));
}

Expr integer_value(const Json& schema, const std::string& place) {
  const Limits limits = limits_of(schema, place);
  const std::int64_t low = limits.lowest(1), high = limits.highest(1);
  if (low > high) refuse_schema(place, "nothing fits it");
  return integer_range(low, high);
}

}  // namespace

Expr json_scalar(const Json& schema, const std::string& type, const std::string& place) {
  if (type == "null") return literal("null");
  if (type == "boolean") return choice({literal("true"), literal("false")});
  if (type == "string") return string_value(schema, place);
  return type == "integer" ? integer_value(schema, place) : number_value(schema, place);
}

std::uint32_t count_of(const Json& schema, const char* keyword, std::uint32_t otherwise,
                       const std::string& place) {
  constexpr double most = 1e6;
  const auto found = schema.find(keyword);
  if (found == schema.end()) return otherwise;
  const double count = found->is_number() ? found->get<double>() : -1;
  if (!(count >= 0 && count <= most) || count != std::floor(count))
    refuse_schema(fmt::format("{}/{}", place, keyword), "is not a whole number from 0 to a million");
  return static_cast<std::uint32_t>(count);
}

bool is_type(const std::string& name) {
  constexpr std::array<std::string_view, 7> types{"null",   "boolean", "number", "integer",
                                                  "string", "array",   "object"};
  return std::ranges::find(types, name) != types.end();
}

std::vector<std::string> implied_types(const Json& schema) {
  const std::pair<const char*, std::vector<const char*>> kinds[] = {
      {"object", {"properties", "required", "additionalProperties"}},
      {"array", {"items", "prefixItems", "minItems", "maxItems"}},
      {"string", {"pattern", "minLength", "maxLength"}},
      {"number", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}}};
  std::vector<std::string> types;
  for (const auto& [type, keywords] : kinds) {
    if (std::ranges::any_of(keywords, [&](const char* keyword) { return schema.contains(keyword); }))
      types.emplace_back(type);
  }
  return types;
}

void check_keywords(const Json& schema, const std::string& place) {
  static const std::set<std::string> known{
      "type",      "properties",       "required",        "additionalProperties",
      "items",     "prefixItems",      "minItems",        "maxItems",
      "minLength", "maxLength",        "pattern",         "minimum",
      "maximum",   "exclusiveMinimum", "exclusiveMaximum"};
  for (const auto& [keyword, value] : schema.items()) {
    if (known.contains(keyword) || is_annotation(keyword)) continue;
    if (keyword == "uniqueItems" && value == false) continue;
    if (keyword == "nullable" && value == false) continue;
    refuse_schema(fmt::format("{}/{}", place, keyword), "is not supported");
  }
}

}  // namespace engines::decoding
