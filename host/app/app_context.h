// SPDX-License-Identifier: Apache-2.0
// What every use case works with.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "host/sources/hub_options.h"
#include "host/store/model_catalogue.h"
#include "host/store/store.h"

namespace roundhouse::host {

// A value of whoever calls; must outlive the call. Its functions are called from any thread.
struct AppContext {
  std::filesystem::path store_root;        // empty: there is no store
  std::function<ModelCatalogue()> models;  // as they are now
  Environment environment;                 // variables that hubs' and registries' own clients obey
  std::string version;                     // of the program
  const std::atomic<bool>& cancelled;      // true ends what is at work, with CANCELLED
  ModelCheck check = {};                   // of models that are taken in, by the engine that would run them

  Store store() const { return Store(store_root); }
  // The program, as models record what made them: "roundhouse 0.1.0".
  std::string tool() const;
  // How hubs and registries are spoken to, with the proxies of the environment; refers to `cancelled`. Throws
  // INVALID_ARGUMENT for variables that name no proxy.
  HttpOptions http() const;
};

// Gives the progress of one stage of the work, which the verb names: "hashing".
using ProgressOf = std::function<ProgressCallback(const std::string& verb)>;

}  // namespace roundhouse::host
