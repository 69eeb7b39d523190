// SPDX-License-Identifier: Apache-2.0
// What there is, and what it does: the routes that answer at once.
#include "host/server/native/native_routes.h"

#include <algorithm>

#include "host/registry/record_json.h"
#include "host/server/engine_scan.h"
#include "host/server/hidden_places.h"
#include "host/server/http/http_error.h"
#include "host/server/json_fields.h"
#include "host/server/native/failure.h"
#include "host/server/native/generate_routes.h"
#include "host/server/native/store_routes.h"
#include "host/server/openapi.h"
#include "host/store/model_json.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using Json = nlohmann::ordered_json;

// The version of the pixel-art server's interface.
constexpr const char* kInterface = "2.0.0";
constexpr http::RouteOptions kOpen{0, false, true};

void send(http::Exchange& exchange, const Json& json) {
  exchange.send(200, http::kJson, json_text(json) + "\n");
}

// The model that was used last, where one is loaded.
std::optional<Resident> current(const Services& services) {
  for (Resident& resident : services.pool.residents()) {
    if (resident.state != ResidentState::leaving) return std::move(resident);
  }
  return std::nullopt;
}

std::string default_engine(const Services& services) {
  return services.registry.default_engine().value_or("auto");
}

void health(const Services& services, http::Exchange& exchange) {
  const std::optional<Resident> resident = current(services);
  const PoolStatistics pool = services.pool.statistics();
  Json json;
  json["status"] = "healthy";
  json["model_loaded"] = pool.loaded > 0;
  json["current_model"] = resident ? Json(resident->name) : Json();
  json["device"] = resident ? resident->device : "cpu";
  json["engine"] = default_engine(services);
  json["version"] = kInterface;
  json["state"] = pool.loading > 0 ? "loading" : pool.active > 0 ? "busy" : "idle";
  json["active"] = pool.active;
  json["waiting"] = pool.waiting;
  json["server_version"] = services.version;
  send(exchange, json);
}

void engines(const Services& services, http::Exchange& exchange) {
  rescan_engines(services, false);
  Json json;
  json["engines"] = Json::object();
  for (const EngineRecord& record : services.registry.snapshot()->records()) {
    if (json["engines"].contains(record.id)) continue;  // a duplicate: the first one counts
    json["engines"][record.id] = engine_json(record);
  }
  json["default"] = default_engine(services);
  // Reasons why one cannot be used name its files.
  exchange.send(200, http::kJson, without_places(json_text(json), services) + "\n");
}

void set_engine(const Services& services, http::Exchange& exchange) {
  const std::optional<std::string> engine = JsonFields::parse(exchange.request().body).text("engine");
  if (!engine) throw Error(RH_INVALID_ARGUMENT, "engine: is missing, expected an id or auto");
  const std::string before = default_engine(services);
  try {
    services.registry.set_default_engine(*engine);
  } catch (const Error& error) {
    throw http::HttpError(400, error.code(), error.what(), std::string(error.hint()));
  }
  const std::string after = default_engine(services);
  exchange.notes()["engine"] = after;
  send(exchange, {{"success", true}, {"engine", after}, {"changed", after != before}});
}

void models(const Services& services, http::Exchange& exchange) {
  const ModelCatalogue catalogue = services.models();
  Json json;
  json["models"] = Json::array();
  json["details"] = Json::array();
  for (const auto& entry : catalogue.entries()) {
    if (entry.present && !entry.problem) json["models"].push_back(entry.spec.name);
    json["details"].push_back(model_entry_json(entry));
  }
  json["default"] = ModelCatalogue::kDefaultModel;
  // Problems of models name their files.
  exchange.send(200, http::kJson, without_places(json_text(json), services) + "\n");
}

// Files of the home. No engine takes one, so none is compatible but the choice of none.
void loras(const Services& services, http::Exchange& exchange) {
  Json all = Json::array({"None"}), others = Json::array();
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(services.store_root / "loras", ignored)) {
    if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    all.push_back(name);
    others.push_back(name);
  }
  send(exchange,
       {{"loras", all}, {"compatible_loras", Json::array({"None"})}, {"incompatible_loras", others}});
}

}  // namespace

void add_native_routes(http::Router& router, const Services& services) {
  router.add({"native", "/", [](const http::Request& request, const Error& error, int) {
                Json json = native_failure(error);
                json["request_id"] = request.request_id;
                return json_text(json);
              }});
  router.add("GET", "/health", kOpen, [&](http::Exchange& exchange) { health(services, exchange); });
  router.add("GET", "/engines", {}, [&](http::Exchange& exchange) { engines(services, exchange); });
  router.add("POST", "/set_engine", {}, [&](http::Exchange& exchange) { set_engine(services, exchange); });
  router.add("GET", "/models", {}, [&](http::Exchange& exchange) { models(services, exchange); });
  router.add("GET", "/loras", {}, [&](http::Exchange& exchange) { loras(services, exchange); });
  router.add("GET", "/metrics", {}, [&](http::Exchange& exchange) {
    exchange.send(200, "text/plain; version=0.0.4; charset=utf-8",
                  services.metrics.page(services.pool.statistics(), services.images.statistics().previews,
                                        services.connections()));
  });
  router.add("GET", "/openapi.json", kOpen, [&](http::Exchange& exchange) {
    exchange.send(200, http::kJson, json_text(openapi_document(services.version)) + "\n");
  });
  add_generate_routes(router, services);
  add_store_routes(router, services);
}

}  // namespace roundhouse::host
