// SPDX-License-Identifier: Apache-2.0
// An EngineReport as JSON: it crosses from a worker to its parent, and `engines --json` prints it.
#include <nlohmann/json.hpp>

#include "host/registry/registry.h"

namespace roundhouse::host {
namespace {

nlohmann::json limits_json(const Limits& limits) {
  auto json = nlohmann::json::object();
  for (const auto& [name, limit] : limits)
    json[name] = {{"min", limit.minimum}, {"max", limit.maximum}, {"multiple", limit.multiple_of}};
  return json;
}

Limits limits_from(const nlohmann::json& json) {
  Limits limits;
  for (const auto& [name, limit] : json.items()) {
    limits[name] = {limit.at("min").get<double>(), limit.at("max").get<double>(),
                    limit.at("multiple").get<double>()};
  }
  return limits;
}

}  // namespace

void to_json(nlohmann::json& json, const EngineReport& report) {
  auto facts = nlohmann::json::array();
  for (const auto& [key, value] : report.facts)
    facts.push_back({key, value});
  json = {{"id", report.id},
          {"name", report.name},
          {"vendor", report.vendor},
          {"version", report.version},
          {"description", report.description},
          {"maturity", report.maturity},
          {"score", report.score},
          {"capabilities", report.capabilities},
          {"limits", limits_json(report.limits)},
          {"facts", std::move(facts)},
          {"remarks", report.remarks}};
}

void from_json(const nlohmann::json& json, EngineReport& report) {
  json.at("id").get_to(report.id);
  json.at("name").get_to(report.name);
  json.at("vendor").get_to(report.vendor);
  json.at("version").get_to(report.version);
  json.at("description").get_to(report.description);
  json.at("maturity").get_to(report.maturity);
  json.at("score").get_to(report.score);
  json.at("capabilities").get_to(report.capabilities);
  report.limits = limits_from(json.at("limits"));
  report.facts.clear();
  for (const auto& fact : json.at("facts"))
    report.facts.emplace_back(fact.at(0).get<std::string>(), fact.at(1).get<std::string>());
  json.at("remarks").get_to(report.remarks);
}

}  // namespace roundhouse::host
