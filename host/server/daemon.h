// SPDX-License-Identifier: Apache-2.0
// The daemon: one port, all dialects, one pool of models.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/server/http/server.h"
#include "host/server/services.h"

namespace roundhouse::host {

struct DaemonOptions {
  http::ServerOptions http;  // its `completed` and name are the daemon's to set
  PoolLimits pool;
  ClientOptions client;  // of workers; its log is the daemon's to set
  ClientFactory make_client = make_worker_client;
  std::function<ModelCatalogue()> models;
  std::filesystem::path store_root;
  std::string version;
  CancellableCheck check = {};  // of models that clients bring; any thread
  bool log_prompts = false;
  bool fit_sizes = true;  // as Services has it
  // Variables that clients of hubs and registries obey; any thread.
  std::function<std::optional<std::string>(const std::string&)> environment = [](const std::string&) {
    return std::nullopt;
  };
  std::chrono::milliseconds stop_time{10'000};  // how long running requests may go on when it ends
};

class Daemon {
 public:
  // `registry` and `log` must outlive it.
  Daemon(DaemonOptions options, SharedRegistry& registry, Log& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Answers from now on; loads nothing. Throws what http::Server::start throws.
  void start();
  std::uint16_t port() const;  // as http::Server has both
  std::vector<http::ListenPlace> places() const;
  // Lets running requests finish within stop_time, cancels the others, ends all workers.
  void stop();

  // Looks for engines again; the log says what changed. Any thread.
  void rescan();
  // What else may change while it runs.
  struct Reload {
    http::AccessPolicy access;
    std::optional<std::string> engine;  // of requests that name none; none: as it is
    std::vector<std::string> pinned, unpinned;
  };
  // An engine that is not there is an error in the log, and the one before stays. Any thread.
  void reload(const Reload& settings);

  const http::Router& router() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roundhouse::host
