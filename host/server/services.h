// SPDX-License-Identifier: Apache-2.0
// What the routes of all dialects work with. Made by the daemon; outlives every request.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "host/log/log.h"
#include "host/registry/shared_registry.h"
#include "host/residency/pool.h"
#include "host/server/metrics.h"
#include "host/session/embedder.h"
#include "host/session/image_runner.h"
#include "host/session/text_runner.h"
#include "host/store/model_catalogue.h"
#include "host/store/store.h"

namespace roundhouse::host {

struct Services {
  SharedRegistry& registry;
  ModelPool& pool;
  ImageRunner& images;  // with workers of the pool, as the next two
  TextRunner& texts;
  Embedder& embedder;
  Metrics& metrics;
  Log& log;
  std::function<ModelCatalogue()> models;  // as they are now; any thread
  std::filesystem::path store_root;        // for Store; empty: there is none
  std::string version;                     // of the program
  bool log_prompts = false;
  bool fit_sizes = true;  // sizes that clients send by habit become ones that the default model can draw
  std::function<std::optional<std::string>(const std::string&)> environment;  // of hubs and registries
  std::function<std::size_t()> connections = [] { return std::size_t{0}; };   // open ones
  CancellableCheck check = {};                                                // of models that clients bring
  ClientOptions client = {};                                                  // of workers beside the pool's
  ClientFactory make_client = make_worker_client;
};

}  // namespace roundhouse::host
