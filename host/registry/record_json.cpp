// SPDX-License-Identifier: Apache-2.0
// Engine records as JSON.
#include "host/registry/record_json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "host/log/error_json.h"

namespace roundhouse::host {
namespace {

nlohmann::ordered_json limits_json(const EngineRecord& record) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, limit] : record.limits()) {
    json[name] = {{"minimum", limit.minimum}, {"maximum", limit.maximum}, {"multiple_of", limit.multiple_of}};
  }
  return json;
}

}  // namespace

std::vector<std::string> capability_values(const Capabilities& capabilities, const std::string& group) {
  const auto found = capabilities.find(group);
  return found == capabilities.end() ? std::vector<std::string>{} : found->second;
}

std::optional<std::string> engine_fact(const EngineRecord& record, const std::string& name) {
  if (!record.report) return std::nullopt;
  for (const auto& [key, value] : record.report->facts) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string rates_text(const EngineRecord& record) {
  std::string text;
  if (!record.rates) return text;
  for (const auto& [type, rate] : record.rates->by_weights)
    text += fmt::format("{}{} {:.0f}", text.empty() ? "" : ", ", type, rate / 1e9);
  return text;
}

std::vector<std::string> remarks_of(const EngineRecord& record) {
  std::vector<std::string> remarks = record.report ? record.report->remarks : std::vector<std::string>{};
  if (record.rates && !record.rates->problem.empty())
    remarks.push_back("rates could not be measured, its score stands for them: " + record.rates->problem);
  return remarks;
}

EngineDescription describe(const EngineRecord& record) {
  if (record.report) {
    const EngineReport& report = *record.report;
    return {report.name, report.vendor, report.version, report.description, report.maturity};
  }
  if (record.manifest) {
    const EngineManifest& manifest = *record.manifest;
    return {manifest.name, manifest.vendor, manifest.version, manifest.description, manifest.maturity};
  }
  return {};
}

const Capabilities& stated_capabilities(const EngineRecord& record) {
  static const Capabilities none;
  if (record.report) return record.report->capabilities;
  return record.manifest ? record.manifest->capabilities : none;
}

nlohmann::ordered_json engine_json(const EngineRecord& record) {
  const EngineDescription about = describe(record);
  const Capabilities& capabilities = stated_capabilities(record);
  nlohmann::ordered_json json;
  json["id"] = record.id;
  json["name"] = about.name;
  json["version"] = about.version;
  json["abi"] = record.manifest ? nlohmann::ordered_json(fmt::format("{}.{}", record.manifest->abi_major,
                                                                     record.manifest->abi_minor))
                                : nlohmann::ordered_json();
  json["vendor"] = about.vendor;
  json["description"] = about.description;
  json["maturity"] = about.maturity;
  json["state"] = state_name(record.state);
  json["score"] = record.score();
  json["tasks"] = capability_values(capabilities, "task");
  json["architectures"] = capability_values(capabilities, "architecture");
  json["weight_formats"] = capability_values(capabilities, "weight-format");
  json["dtypes"] = capability_values(capabilities, "dtype");
  json["features"] = capability_values(capabilities, "feature");
  json["samplers"] = capability_values(capabilities, "sampler");
  json["schedules"] = capability_values(capabilities, "schedule");
  json["devices"] = capability_values(capabilities, "device");
  json["limits"] = limits_json(record);
  for (const char* name : {"device", "threads", "simd"}) {
    const std::optional<std::string> value = engine_fact(record, name);
    json[name] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  }
  json["rates_gflops"] = nlohmann::ordered_json();
  if (record.rates) {
    json["rates_gflops"] = nlohmann::ordered_json::object();
    for (const auto& [type, rate] : record.rates->by_weights)
      json["rates_gflops"][type] = std::round(rate / 1e8) / 10;
  }
  json["facts"] = nlohmann::ordered_json::object();
  if (record.report) {
    for (const auto& [key, value] : record.report->facts)
      json["facts"][key] = value;
  }
  json["manifest"] = record.manifest_file.string();
  json["library"] =
      record.manifest ? nlohmann::ordered_json(record.manifest->library.string()) : nlohmann::ordered_json();
  json["origin"] = record.origin;
  json["error"] = record.error ? error_json(*record.error) : nlohmann::ordered_json();
  json["differences"] = record.differences;
  json["remarks"] = remarks_of(record);
  return json;
}

}  // namespace roundhouse::host
