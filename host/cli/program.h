// SPDX-License-Identifier: Apache-2.0
// What every subcommand starts from: where the program runs and the global flags. A value made in main.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/app/app_context.h"
#include "host/log/log.h"
#include "host/registry/registry.h"
#include "host/store/model_catalogue.h"
#include "host/store/store.h"
#include "host/worker/rates.h"

namespace roundhouse::host {

struct GlobalOptions {
  std::vector<std::string> engine_paths;
  std::string log_level;  // empty: warning, or info with a log file
  std::optional<std::string> log_file;
  std::optional<std::string> home;  // of the model store
};

struct Program {
  std::chrono::steady_clock::time_point start;  // taken first in main
  std::filesystem::path executable;             // absolute
  char** arguments = nullptr;                   // of main, for running again
  GlobalOptions options;

  // Reads the manifests of all search directories, and what engines were measured at with so many threads (0
  // = all); loads nothing.
  Registry registry(std::uint32_t threads = 0) const;
  // Where measurements are kept: $XDG_CACHE_HOME/roundhouse/rates or ~/.cache/roundhouse/rates.
  RateCache rate_cache() const;
  std::vector<SearchDirectory> engine_directories() const;
  // A model of the store that has to be hashed shows how far that is on a terminal, and Ctrl-C ends it.
  ModelCatalogue models() const;
  Store store() const;
  // --home, ROUNDHOUSE_HOME, $XDG_DATA_HOME/roundhouse or ~/.local/share/roundhouse.
  std::filesystem::path user_directory() const;
  // Throws INVALID_ARGUMENT for an unknown level, IO_ERROR for a file that cannot be opened.
  std::unique_ptr<Log> log() const;
  Log::Options log_options() const;  // what it is opened with

  // For use cases; Ctrl-C cancels them once watch_interrupts was called. Refers to the program.
  AppContext app() const;

  double milliseconds_since_start() const;
};

std::string program_version();  // "0.1.0"
std::optional<std::string> environment_variable(const std::string& name);

}  // namespace roundhouse::host
