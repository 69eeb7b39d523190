// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

using nlohmann::json;
using Pairs = std::set<std::pair<std::string, std::string>>;

constexpr const char* known_keys[] = {"schema",       "id",     "name",        "version",  "vendor",
                                      "description",  "abi",    "library",     "maturity", "score",
                                      "capabilities", "limits", "environment", "network"};

std::string written(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Pairs capabilities_of(const json& manifest) {
  Pairs pairs;
  for (const auto& [group, values] : manifest.at("capabilities").items()) {
    for (const json& value : values)
      pairs.emplace(group, value.get<std::string>());
  }
  return pairs;
}

// Every pair that is on one side only, as words.
std::string difference(const Pairs& manifest, const Pairs& descriptor) {
  std::string text;
  for (const auto& pair : manifest) {
    if (!descriptor.contains(pair)) text += " " + pair.first + "=" + pair.second + " (manifest only)";
  }
  for (const auto& pair : descriptor) {
    if (!manifest.contains(pair)) text += " " + pair.first + "=" + pair.second + " (descriptor only)";
  }
  return text;
}

// Whether the descriptor's score is one that the manifest has for some processor.
bool states_score(const json& manifest, std::int32_t score) {
  const json stated = manifest.value("score", json(0));
  if (!stated.is_object()) return stated == score;
  const json& by_feature = stated.at("cpu");
  return stated.at("default") == score ||
         std::any_of(by_feature.begin(), by_feature.end(), [&](const json& other) { return other == score; });
}

void compare_limits(const json& manifest, const rh_engine_descriptor& engine, Report& report) {
  const json limits = manifest.value("limits", json::object());
  const std::uint32_t count = engine.limits == nullptr ? 0 : engine.limits->count;
  report.expect(limits.size() == count, "P9",
                fmt::format("limits: the manifest has {}, the descriptor {}", limits.size(), count));
  for (const auto& [name, bound] : limits.items()) {
    const auto limit = limit_of(engine, name);
    const bool same = limit && bound.value("min", 0.0) == limit->minimum &&
                      bound.value("max", 0.0) == limit->maximum &&
                      bound.value("multiple", 0.0) == limit->multiple_of;
    report.expect(same, "P9", "limit " + name + " differs between manifest and descriptor");
  }
}

void compare(const json& manifest, const rh_engine_descriptor& engine, Report& report) {
  for (const auto& [key, value] : {std::pair("name", engine.name), std::pair("version", engine.version)}) {
    report.expect(value != nullptr && manifest.at(key) == value, "P9",
                  std::string(key) + " is " + written(manifest.at(key)) + " in the manifest, '" +
                      (value == nullptr ? "NULL" : value) + "' in the descriptor");
  }
  constexpr const char* maturities[] = {"", "stable", "experimental", "teaching"};
  const char* maturity = engine.maturity <= RH_MATURITY_TEACHING ? maturities[engine.maturity] : "";
  report.expect(manifest.value("maturity", "stable") == maturity, "P9",
                "maturity differs from the descriptor's");
  report.expect(states_score(manifest, engine.score), "P9", "score differs from the descriptor's");
  const auto facts = facts_of(engine.capabilities);
  const std::string differences = difference(capabilities_of(manifest), Pairs(facts.begin(), facts.end()));
  report.expect(differences.empty(), "P9", "capabilities differ:" + differences);
  compare_limits(manifest, engine, report);
}

void check_shape(const json& manifest, const Subject& subject, const Life& life, Report& report) {
  report.expect(manifest.at("schema") == 1, "P9",
                "schema is " + written(manifest.at("schema")) + ", expected 1");
  const std::set<std::string> known(std::begin(known_keys), std::end(known_keys));
  for (const auto& item : manifest.items()) {
    report.expect(known.contains(item.key()) || item.key().starts_with("x-"), "P9",
                  "key '" + item.key() + "' is not known");
  }
  const std::uint32_t abi = life.entry().abi_version;
  const std::string spoken = fmt::format("{}.{}", abi >> 16, abi & 0xFFFFU);
  report.expect(manifest.at("abi") == spoken, "P9",
                "abi is " + written(manifest.at("abi")) + ", the plugin speaks " + spoken);
  namespace fs = std::filesystem;
  std::error_code none;
  const fs::path library =
      fs::path(subject.manifest).parent_path() / manifest.at("library").get<std::string>();
  report.expect(fs::equivalent(library, subject.library, none), "P9",
                "library " + written(manifest.at("library")) + " does not lead to the plugin");
}

}  // namespace

void check_manifest(const Subject& subject, Life& life) {
  if (subject.manifest.empty()) return;
  Report& report = life.report();
  report.step("reading the manifest");
  try {
    std::ifstream file(subject.manifest);
    const json manifest = json::parse(file);
    check_shape(manifest, subject, life, report);
    for (const rh_engine_descriptor* engine : life.descriptors()) {
      if (manifest.at("id") == engine->id) return compare(manifest, *engine, report);
    }
    report.expect(false, "P9", "no engine of the plugin is called " + written(manifest.at("id")));
  } catch (const json::exception& error) {
    report.expect(false, "P9", error.what());
  }
}

}  // namespace conformance
