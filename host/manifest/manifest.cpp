// SPDX-License-Identifier: Apache-2.0
// From the JSON of a manifest, field by field, to an EngineManifest.
#include "host/manifest/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>

#include "host/manifest/json_text.h"
#include "host/manifest/json_value.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::size_t kNameBytes = 200;
constexpr std::size_t kDescriptionBytes = 2000;
constexpr std::size_t kPathBytes = 4000;
constexpr std::size_t kEntries = 256;  // of any list
constexpr std::array<std::string_view, 3> kMaturities = {"stable", "experimental", "teaching"};
constexpr std::array<std::string_view, 1> kComputations = {"openblas-coretype"};

// Variables that decide which programs and libraries are found, or whose files are read: none of a
// manifest's business.
constexpr std::array<std::string_view, 8> kForbiddenVariables = {"PATH",     "HOME",  "IFS",  "ENV",
                                                                 "BASH_ENV", "SHELL", "USER", "TMPDIR"};
constexpr std::array<std::string_view, 6> kForbiddenPrefixes = {"LD_",     "GCONV_", "GLIBC_",
                                                                "MALLOC_", "XDG_",   "ROUNDHOUSE_"};

constexpr std::size_t kWordBytes = 63;
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool among(char c, std::initializer_list<std::string_view> sets) {
  return std::any_of(sets.begin(), sets.end(),
                     [c](std::string_view set) { return set.find(c) != std::string_view::npos; });
}

// [first][rest]{0,62}
bool is_word(const std::string& text, std::initializer_list<std::string_view> first,
             std::initializer_list<std::string_view> rest) {
  return !text.empty() && text.size() <= kWordBytes && among(text.front(), first) &&
         std::all_of(text.begin() + 1, text.end(), [&](char c) { return among(c, rest); });
}

bool is_lower_word(const std::string& text) {
  return is_word(text, {kLower}, {kLower, kDigits, "._-"});
}

// At most four digits without a leading zero.
bool is_version_number(const std::string& text) {
  return !text.empty() && text.size() <= 4 && (text == "0" || text.front() != '0') &&
         text.find_first_not_of(kDigits) == std::string::npos;
}

void check_count(const JsonValue& value, std::size_t count) {
  if (count > kEntries) {
    value.refuse(fmt::format("has {} entries, expected at most {}", count, kEntries));
  }
}

void check_schema(const std::filesystem::path& file, const JsonValue& root) {
  const std::int64_t schema = root.at("schema").integer(0, std::numeric_limits<std::int32_t>::max());
  if (schema == kSchema) return;
  throw Error(RH_ENGINE_INCOMPATIBLE,
              fmt::format("manifest '{}': schema: {} is not known, this host reads {}", file.string(), schema,
                          kSchema));
}

std::string read_id(const JsonValue& value) {
  std::string id = value.text(kNameBytes);
  if (!is_word(id, {kLower, kDigits}, {kLower, kDigits, "._-"})) {
    value.refuse(
        "is not an id, expected 1 to 63 of a-z, 0-9, '.', '_', '-', beginning with a letter or a digit");
  }
  // The catalogue of engines has this word for itself.
  if (id == "auto") value.refuse("is the word for automatic routing, expected another id");
  return id;
}

void read_abi(const JsonValue& value, EngineManifest& manifest) {
  const std::string abi = value.text(kNameBytes);
  const auto point = abi.find('.');
  const std::string major = abi.substr(0, point);
  const std::string minor = point == std::string::npos ? "" : abi.substr(point + 1);
  if (!is_version_number(major) || !is_version_number(minor)) {
    value.refuse("is not an ABI version, expected one like \"1.0\"");
  }
  manifest.abi_major = static_cast<std::uint32_t>(std::stoul(major));
  manifest.abi_minor = static_cast<std::uint32_t>(std::stoul(minor));
}

std::filesystem::path read_library(const JsonValue& value, const std::filesystem::path& directory) {
  const std::filesystem::path library = value.text(kPathBytes);
  for (const auto& part : library) {
    if (part == "..")
      value.refuse("contains '..', expected a path below the manifest's directory or an absolute one");
  }
  if (!library.has_filename()) value.refuse("names a directory, expected a library");
  return library.is_absolute() ? library : (directory / library).lexically_normal();
}

std::string read_word(const JsonValue& value, const char* what) {
  std::string word = value.text(kNameBytes);
  if (!is_lower_word(word)) {
    value.refuse(std::string("is not ") + what + ", expected lower case letters, digits, '.', '_' and '-'");
  }
  return word;
}

Capabilities read_capabilities(const JsonValue& value) {
  Capabilities result;
  const auto groups = value.members();
  check_count(value, groups.size());
  for (const auto& [group, list] : groups) {
    if (!is_lower_word(group)) list.refuse("is in a group whose name is not a lower case word");
    auto& values = result[group];
    const auto items = list.items();
    check_count(list, items.size());
    for (const auto& item : items) {
      std::string text = item.text(kNameBytes);
      if (std::find(values.begin(), values.end(), text) != values.end()) item.refuse("is there twice");
      values.push_back(std::move(text));
    }
  }
  for (const char* needed : {"task", "device"}) {
    if (value.at(needed).items().empty()) value.at(needed).refuse("is empty, expected at least one");
  }
  return result;
}

Limits read_limits(const JsonValue& value) {
  Limits result;
  const auto members = value.members();
  check_count(value, members.size());
  for (const auto& [name, entry] : members) {
    entry.expect_only({"min", "max", "multiple"});
    if (!is_lower_word(name)) entry.refuse("has a name that is not a lower case word");
    Limit limit;
    limit.minimum = entry.at("min").finite_number();
    limit.maximum = entry.at("max").finite_number();
    if (limit.minimum > limit.maximum) entry.at("max").refuse("is below min");
    if (entry.has("multiple")) limit.multiple_of = entry.at("multiple").finite_number();
    if (limit.multiple_of < 0) entry.at("multiple").refuse("is negative");
    result.emplace(name, limit);
  }
  return result;
}

void check_variable(const std::string& name, const JsonValue& entry) {
  if (!is_word(name, {kUpper}, {kUpper, kDigits, "_"})) {
    entry.refuse("has a name that is not a variable, expected [A-Z][A-Z0-9_]*");
  }
  const bool forbidden =
      std::find(kForbiddenVariables.begin(), kForbiddenVariables.end(), name) != kForbiddenVariables.end() ||
      std::any_of(kForbiddenPrefixes.begin(), kForbiddenPrefixes.end(),
                  [&](std::string_view prefix) { return name.starts_with(prefix); });
  if (forbidden) entry.refuse("may not be set by a manifest: it changes how files and programs are found");
}

std::vector<EnvironmentRule> read_environment(const JsonValue& value) {
  std::vector<EnvironmentRule> result;
  const auto members = value.members();
  check_count(value, members.size());
  for (const auto& [name, entry] : members) {
    entry.expect_only({"value", "computed"});
    check_variable(name, entry);
    if (entry.has("value") == entry.has("computed")) entry.refuse("needs exactly one of value and computed");
    EnvironmentRule rule{name, "", ""};
    if (entry.has("value")) rule.value = entry.at("value").text_or_empty(kNameBytes);
    if (entry.has("computed")) {
      rule.computed = read_word(entry.at("computed"), "a computation");
      if (std::find(kComputations.begin(), kComputations.end(), rule.computed) == kComputations.end()) {
        entry.at("computed").refuse("is not a known computation, expected openblas-coretype");
      }
    }
    result.push_back(std::move(rule));
  }
  return result;
}

std::string read_maturity(const JsonValue& value) {
  std::string maturity = value.text(kNameBytes);
  if (std::find(kMaturities.begin(), kMaturities.end(), maturity) == kMaturities.end()) {
    value.refuse("is not a maturity, expected stable, experimental or teaching");
  }
  return maturity;
}

std::int32_t read_integer(const JsonValue& value) {
  return static_cast<std::int32_t>(
      value.integer(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
}

// The highest of those that hold on this processor.
std::int32_t read_score(const JsonValue& value, const CpuFeatures& features) {
  if (!value.is_object()) return read_integer(value);
  value.expect_only({"default", "cpu"});
  std::int32_t score = read_integer(value.at("default"));
  const auto members = value.at("cpu").members();
  check_count(value.at("cpu"), members.size());
  if (members.empty()) value.at("cpu").refuse("is empty, expected at least one");
  for (const auto& [feature, entry] : members) {
    if (!is_lower_word(feature)) entry.refuse("has a feature name that is not a lower case word");
    const std::int32_t with_feature = read_integer(entry);
    if (has_feature(features, feature)) score = std::max(score, with_feature);
  }
  return score;
}

void read_optional(const JsonValue& root, const CpuFeatures& features, EngineManifest& manifest) {
  if (root.has("vendor")) manifest.vendor = root.at("vendor").text_or_empty(kNameBytes);
  if (root.has("description")) {
    manifest.description = root.at("description").text_or_empty(kDescriptionBytes);
  }
  manifest.maturity = root.has("maturity") ? read_maturity(root.at("maturity")) : "stable";
  if (root.has("score")) manifest.score = read_score(root.at("score"), features);
  if (root.has("limits")) manifest.limits = read_limits(root.at("limits"));
  if (root.has("environment")) manifest.environment = read_environment(root.at("environment"));
  if (root.has("network")) manifest.network = root.at("network").boolean();
}

}  // namespace

bool has_capability(const Capabilities& capabilities, const std::string& group, const std::string& value) {
  const auto found = capabilities.find(group);
  return found != capabilities.end() &&
         std::find(found->second.begin(), found->second.end(), value) != found->second.end();
}

EngineManifest read_manifest(const std::filesystem::path& file, const CpuFeatures& features) {
  EngineManifest manifest;
  std::error_code ignored;  // the path as given is good enough for the messages that follow
  manifest.file = std::filesystem::absolute(file, ignored).lexically_normal();
  const nlohmann::json json = parse_json(manifest.file, read_small_file(manifest.file));
  const JsonValue root(manifest.file, json);
  if (!json.is_object()) root.refuse("is a JSON " + std::string(json.type_name()) + ", expected an object");
  check_schema(manifest.file, root);
  root.expect_only({"schema", "id", "name", "version", "vendor", "description", "abi", "library", "maturity",
                    "score", "capabilities", "limits", "environment", "network"});
  manifest.id = read_id(root.at("id"));
  manifest.name = root.at("name").text(kNameBytes);
  manifest.version = root.at("version").text(kNameBytes);
  read_abi(root.at("abi"), manifest);
  manifest.library = read_library(root.at("library"), manifest.file.parent_path());
  manifest.capabilities = read_capabilities(root.at("capabilities"));
  read_optional(root, features, manifest);
  return manifest;
}

}  // namespace roundhouse::host
