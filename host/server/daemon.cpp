// SPDX-License-Identifier: Apache-2.0
// Pool, routes and server joined; a line in the log and a count for every request.
#include "host/server/daemon.h"

#include <nlohmann/json.hpp>

#include "host/server/engine_scan.h"
#include "host/server/hidden_places.h"
#include "host/server/routes.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

// How long a cancelled request may take to end before its connection is closed.
constexpr std::chrono::seconds kLeave{10};

void log_request(const Services& services, const http::Completed& completed) {
  const http::Request& request = completed.request;
  nlohmann::json fields = completed.notes;
  fields["request_id"] = request.request_id;
  fields["method"] = request.method;
  fields["path"] = request.path;
  fields["route"] = request.route;
  fields["status"] = completed.status;
  fields["bytes"] = completed.bytes;
  fields["ms"] = completed.seconds * 1000;
  fields["client"] = request.remote;
  if (completed.client_left) fields["client_left"] = true;
  if (completed.error != nullptr) {
    fields["code"] = std::string(status_name(completed.error->code()));
    if (!fields.contains("error")) fields["error"] = completed.error->what();
  }
  services.log.write(completed.status >= 500 ? RH_LOG_WARNING : RH_LOG_INFO, "request", "answered", fields);
}

ClientOptions with_log(ClientOptions client, Log& log) {
  client.log = [&log](std::uint32_t level, const std::string& category, const std::string& message) {
    log.write(level, category, message);
  };
  return client;
}

}  // namespace

struct Daemon::State {
  State(DaemonOptions wanted, SharedRegistry& registry, Log& log)
      : options(std::move(wanted)),
        metrics(options.version),
        pool(registry, with_log(options.client, log), options.pool, options.make_client),
        services{registry,
                 pool,
                 images,
                 texts,
                 embedder,
                 metrics,
                 log,
                 options.models,
                 options.store_root,
                 options.version,
                 options.log_prompts,
                 options.fit_sizes,
                 options.environment,
                 [this] { return server ? server->connections() : 0; },
                 options.check,
                 with_log(options.client, log),
                 options.make_client} {
    add_all_routes(router, services);
    http::ServerOptions http = options.http;
    http.name = "roundhouse/" + options.version;
    http.told = [this](const std::string& message) { return without_places(message, services); };
    http.completed = [this](const http::Completed& completed) {
      metrics.request(completed.request.method, completed.request.route, completed.status, completed.seconds,
                      completed.bytes);
      log_request(services, completed);
    };
    server = std::make_unique<http::Server>(router, std::move(http));
  }

  DaemonOptions options;
  Metrics metrics;
  ModelPool pool;
  ImageRunner images{pool};
  TextRunner texts{pool};
  Embedder embedder{pool};
  Services services;
  http::Router router;
  std::unique_ptr<http::Server> server;  // ends first: its handlers use all the rest
};

Daemon::Daemon(DaemonOptions options, SharedRegistry& registry, Log& log)
    : state_(std::make_unique<State>(std::move(options), registry, log)) {
}

Daemon::~Daemon() {
  state_->server->stop(std::chrono::milliseconds(0), kLeave);
}

void Daemon::start() {
  state_->server->start();
}

std::uint16_t Daemon::port() const {
  return state_->server->port();
}

std::vector<http::ListenPlace> Daemon::places() const {
  return state_->server->places();
}

void Daemon::rescan() {
  rescan_engines(state_->services, true);
}

void Daemon::reload(const Reload& settings) {
  State& state = *state_;
  state.server->set_access(settings.access);
  for (const std::string& name : settings.unpinned)
    state.pool.pin(name, false);
  for (const std::string& name : settings.pinned)
    state.pool.pin(name, true);
  try {
    if (settings.engine) state.services.registry.set_default_engine(*settings.engine);
  } catch (const Error& error) {
    state.services.log.write(RH_LOG_ERROR, "daemon", error.what(), {{"setting", "engine"}});
  }
}

const http::Router& Daemon::router() const {
  return state_->router;
}

void Daemon::stop() {
  state_->server->stop(state_->options.stop_time, kLeave);
  state_->pool.shutdown(std::chrono::milliseconds(0));
}

}  // namespace roundhouse::host
