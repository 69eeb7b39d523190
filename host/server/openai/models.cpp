// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/models.h"

#include <algorithm>
#include <chrono>

#include "host/server/model_selector.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/image_request.h"
#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

// When its files came here, as far as the file system tells.
std::int64_t created(const ModelCatalogue::Entry& entry) {
  std::error_code error;
  auto time = std::filesystem::last_write_time(entry.directory, error);
  if (error) time = std::filesystem::last_write_time(entry.spec.file, error);
  if (error) return 0;
  const auto seconds = std::chrono::file_clock::to_sys(time).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(seconds).count();
}

ordered_json model_json(const std::string& id, const ModelCatalogue::Entry& entry) {
  ordered_json json;
  json["id"] = id;
  json["object"] = "model";
  json["created"] = created(entry);
  json["owned_by"] = "roundhouse";
  json["root"] = entry.spec.name;
  json["architecture"] = entry.spec.architecture;
  return json;
}

bool is_here(const ModelCatalogue::Entry& entry) {
  return entry.present && !entry.problem;
}

void list_models(const Services& services, http::Exchange& exchange) {
  ordered_json json{{"object", "list"}, {"data", ordered_json::array()}};
  for (const auto& entry : services.models().entries()) {
    if (is_here(entry)) json["data"].push_back(model_json(entry.spec.name, entry));
  }
  exchange.send(200, http::kJson, json_text(json));
}

// An id as a request may have it: with the suffix of an engine, or one of OpenAI's own.
void show_model(const Services& services, http::Exchange& exchange) {
  const std::string& id = exchange.request().parameters.at("id");
  const ModelSelector reference = parse_model_selector(id);
  const ModelCatalogue catalogue = services.models();
  std::string name = plain_model_name(reference.model.value_or(""));
  if (is_openai_model(name) && !is_model(catalogue, name)) name = ModelCatalogue::kDefaultModel;
  if (reference.engine && services.registry.snapshot()->find(*reference.engine) == nullptr) {
    throw Error(RH_ENGINE_NOT_FOUND, "engine '" + *reference.engine + "' was not found");
  }
  for (const auto& entry : catalogue.entries()) {
    if (entry.spec.name != name || !is_here(entry)) continue;
    return exchange.send(200, http::kJson, json_text(model_json(id, entry)));
  }
  throw Error(RH_MODEL_NOT_FOUND, "model '" + id + "' is not here", "GET /v1/models lists what is");
}

}  // namespace

bool is_model(const ModelCatalogue& catalogue, const std::string& name) {
  const auto entries = catalogue.entries();
  return std::any_of(entries.begin(), entries.end(),
                     [&](const ModelCatalogue::Entry& entry) { return entry.spec.name == name; });
}

void add_model_routes(http::Router& router, const Services& services) {
  router.add("GET", "/v1/models", {},
             with_retry_advice([&](http::Exchange& exchange) { list_models(services, exchange); }));
  router.add("GET", "/v1/models/{id...}", {},
             with_retry_advice([&](http::Exchange& exchange) { show_model(services, exchange); }));
}

}  // namespace roundhouse::host::openai
