// SPDX-License-Identifier: Apache-2.0
// Images, their progress and their end.
#include "host/server/native/generate_routes.h"
#include "host/server/image_to_image.h"

#include <chrono>

#include "host/server/http/http_error.h"
#include "host/server/json_fields.h"
#include "host/server/native/image_job.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using Json = nlohmann::ordered_json;

void send(http::Exchange& exchange, int status, const Json& json) {
  exchange.send(status, http::kJson, json_text(json) + "\n");
}

std::string id_of(const http::Exchange& exchange) {
  const std::string& id = exchange.request().parameters.at("id");
  if (!is_uuid(id)) throw Error(RH_INVALID_ARGUMENT, "generation id: '" + id + "' is not a UUID");
  return id;
}

[[noreturn]] void unknown(const std::string& id) {
  throw http::HttpError(404, RH_INVALID_ARGUMENT, "generation '" + id + "' is not known");
}

void progress(const ProgressTable& table, http::Exchange& exchange) {
  const std::string id = id_of(exchange);
  const auto record = table.find(id);
  if (!record) unknown(id);
  send(exchange, record->state == ProgressState::expired ? 410 : 200, progress_json(*record, table.now()));
}

void cancel(ProgressTable& table, http::Exchange& exchange) {
  const std::string id = id_of(exchange);
  switch (table.cancel(id)) {
    case ProgressTable::Cancelled::asked:
      return send(exchange, 202, {{"status", "canceling"}, {"generation_id", id}});
    case ProgressTable::Cancelled::ended:
      throw http::HttpError(409, RH_INVALID_ARGUMENT, "generation '" + id + "' has ended already");
    case ProgressTable::Cancelled::unknown:
      unknown(id);
  }
}

void load(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  GenerateRequest request;
  request.model = fields.text("model_name");
  if (!request.model) request.model = fields.text("model");
  if (!request.model || request.model->empty()) {
    throw Error(RH_INVALID_ARGUMENT, "model_name: is missing, expected one that GET /models lists");
  }
  request.engine = fields.text("engine");
  const LeaseReport loaded = load_model(services, exchange, request, std::nullopt);
  send(exchange, 200,
       {{"success", true},
        {"model", name_of(loaded.placement.model)},
        {"device", loaded.placement.device},
        {"engine", loaded.placement.engine},
        {"load_ms", loaded.loading_milliseconds}});
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void add_generate_routes(http::Router& router, const Services& services) {
  const auto table = std::make_shared<ProgressTable>(seconds_since_1970);
  router.add("POST", "/generate", kWithImages,
             [&services, table](http::Exchange& exchange) { ImageJob(services, *table, exchange).run(); });
  router.add("GET", "/progress/{id}", {}, [table](http::Exchange& exchange) { progress(*table, exchange); });
  router.add("POST", "/cancel/{id}", {}, [table](http::Exchange& exchange) { cancel(*table, exchange); });
  router.add("POST", "/load_model", {}, [&services](http::Exchange& exchange) { load(services, exchange); });
}

}  // namespace roundhouse::host
