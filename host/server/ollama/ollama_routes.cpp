// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/ollama_routes.h"

#include "host/server/ollama/blob_routes.h"
#include "host/server/ollama/failure.h"
#include "host/server/ollama/generate_routes.h"
#include "host/server/ollama/model_routes.h"
#include "host/server/ollama/transfer_routes.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

constexpr http::RouteOptions kOpen{0, false, true};

// Clients take this very text for a sign of life.
constexpr const char* kGreeting = "Ollama is running";

void health(const Services& services, http::Exchange& exchange) {
  const PoolStatistics pool = services.pool.statistics();
  exchange.send(200, http::kJson,
                json_text(nlohmann::ordered_json{{"status", "ok"},
                                                 {"version", services.version},
                                                 {"loaded", pool.loaded},
                                                 {"active", pool.active},
                                                 {"waiting", pool.waiting}}) +
                    "\n");
}

}  // namespace

void add_ollama_routes(http::Router& router, const Services& services) {
  router.add({"ollama", "/api/",
              [](const http::Request&, const Error& error, int) { return ollama::failure_json(error); }});
  router.add("GET", "/", kOpen,
             [](http::Exchange& exchange) { exchange.send(200, "text/plain; charset=utf-8", kGreeting); });
  router.add("GET", "/api/version", kOpen, [&services](http::Exchange& exchange) {
    exchange.send(200, http::kJson, json_text(nlohmann::json{{"version", services.version}}) + "\n");
  });
  router.add("GET", "/api/health", kOpen,
             [&services](http::Exchange& exchange) { health(services, exchange); });
  const auto uploads = std::make_shared<ollama::Uploads>(services.store_root);
  ollama::add_model_routes(router, services);
  ollama::add_generate_routes(router, services);
  ollama::add_blob_routes(router, uploads);
  ollama::add_transfer_routes(router, services, uploads);
}

}  // namespace roundhouse::host
