// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/probe.h"

#include "host/registry/registry.h"
#include "host/worker/message_json.h"

namespace roundhouse::host {

using Json = nlohmann::json;

// Found by nlohmann through the arguments' namespace; the types are declared elsewhere, their JSON is only
// this message's.
static void to_json(Json& json, const Limit& limit) {
  json = Json::array({limit.minimum, limit.maximum, limit.multiple_of});
}
static void from_json(const Json& json, Limit& limit) {
  limit = {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>()};
}
static void to_json(Json& json, const EnvironmentRule& rule) {
  json = Json::array({rule.name, rule.value, rule.computed});
}
static void from_json(const Json& json, EnvironmentRule& rule) {
  rule = {json.at(0).get<std::string>(), json.at(1).get<std::string>(), json.at(2).get<std::string>()};
}

namespace {

Json manifest_json(const EngineManifest& manifest) {
  return {{"file", path_text(manifest.file)},
          {"library", path_text(manifest.library)},
          {"id", manifest.id},
          {"name", manifest.name},
          {"vendor", manifest.vendor},
          {"version", manifest.version},
          {"description", manifest.description},
          {"maturity", manifest.maturity},
          {"abi_major", manifest.abi_major},
          {"abi_minor", manifest.abi_minor},
          {"score", manifest.score},
          {"capabilities", manifest.capabilities},
          {"limits", manifest.limits},
          {"environment", manifest.environment},
          {"network", manifest.network}};
}

EngineManifest manifest_of(const Json& json) {
  EngineManifest manifest;
  manifest.file = member<std::string>(json, "file");
  manifest.library = member<std::string>(json, "library");
  manifest.id = member<std::string>(json, "id");
  manifest.name = member<std::string>(json, "name");
  manifest.vendor = member<std::string>(json, "vendor");
  manifest.version = member<std::string>(json, "version");
  manifest.description = member<std::string>(json, "description");
  manifest.maturity = member<std::string>(json, "maturity");
  manifest.abi_major = member<std::uint32_t>(json, "abi_major");
  manifest.abi_minor = member<std::uint32_t>(json, "abi_minor");
  manifest.score = member<std::int32_t>(json, "score");
  manifest.capabilities = member<Capabilities>(json, "capabilities");
  manifest.limits = member<Limits>(json, "limits");
  manifest.environment = member<std::vector<EnvironmentRule>>(json, "environment");
  manifest.network = member<bool>(json, "network");
  return manifest;
}

}  // namespace

// ---- host ----

Call probe_call(const EngineSetup& setup, EngineReport& report) {
  return {.operation = "probe",
          .request = {encode(setup)},
          .silence = &Timeouts::probe,
          .answer = [&report](Message& answer) { report = decode<EngineReport>(answer.json); }};
}

// ---- worker ----

Message work_probe(LoadedEngine& engine, const Message& request, CallContext& /*call*/) {
  engine.set_up(decode<EngineSetup>(request.json));
  return {encode(engine.report())};
}

// ---- messages ----

std::string encode(const EngineSetup& setup) {
  return message_text({{"manifest", manifest_json(setup.manifest)},
                       {"threads", setup.threads},
                       {"device", setup.device},
                       {"options", setup.options}});
}

template <>
EngineSetup decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return EngineSetup{manifest_of(json.at("manifest")), member<std::uint32_t>(json, "threads"),
                       member<std::string>(json, "device"),
                       member<std::vector<EngineOption>>(json, "options")};
  });
}

std::string encode(const EngineReport& report) {
  return message_text(Json(report));
}

template <>
EngineReport decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return json.get<EngineReport>(); });
}

}  // namespace roundhouse::host
