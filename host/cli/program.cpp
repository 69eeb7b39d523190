// SPDX-License-Identifier: Apache-2.0
// Makes the values that subcommands work with.
#include "host/cli/program.h"

#include <cstdlib>
#include <map>

#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/cli/transfer_view.h"
#include "host/text/elapsed.h"
#include "roundhouse/error.hpp"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {

std::string program_version() {
  return ROUNDHOUSE_VERSION;
}

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::vector<SearchDirectory> Program::engine_directories() const {
  DiscoveryInput input;
  input.flag_directories.assign(options.engine_paths.begin(), options.engine_paths.end());
  input.environment = environment_variable;
  input.executable = executable;
  return search_directories(input);
}

Registry Program::registry(std::uint32_t threads) const {
  Registry registry(discover(engine_directories()));
  read_rates(registry, rate_cache(), threads);
  return registry;
}

RateCache Program::rate_cache() const {
  const auto absolute = [](const char* name) {
    const std::filesystem::path path = environment_variable(name).value_or("");
    return path.is_absolute() ? path : std::filesystem::path();
  };
  std::filesystem::path cache = absolute("XDG_CACHE_HOME");
  if (cache.empty() && !absolute("HOME").empty()) cache = absolute("HOME") / ".cache";
  return RateCache(cache.empty() ? cache : cache / "roundhouse" / "rates");
}

ModelCatalogue Program::models() const {
  ModelSearch search = model_search(environment_variable, executable, options.home);
  search.verifying = transfer_progress("verifying", false);
  return ModelCatalogue(std::move(search));
}

Store Program::store() const {
  return Store(user_directory());
}

std::filesystem::path Program::user_directory() const {
  return store_root(options.home, environment_variable);
}

Log::Options Program::log_options() const {
  static const std::map<std::string, std::uint32_t> levels = {
      {"debug", RH_LOG_DEBUG}, {"info", RH_LOG_INFO}, {"warning", RH_LOG_WARNING}, {"error", RH_LOG_ERROR}};
  Log::Options log;
  log.json = options.log_file.has_value();
  if (log.json) log.file = *options.log_file;
  log.level = log.json ? RH_LOG_INFO : RH_LOG_WARNING;
  if (!options.log_level.empty()) {
    const auto level = levels.find(options.log_level);
    if (level == levels.end()) {
      throw Error(RH_INVALID_ARGUMENT, "--log-level: '" + options.log_level +
                                           "' is not known, expected debug, info, warning or error");
    }
    log.level = level->second;
  }
  return log;
}

std::unique_ptr<Log> Program::log() const {
  return std::make_unique<Log>(log_options());
}

AppContext Program::app() const {
  return {
      user_directory(),
      [this] { return models(); },
      environment_variable,
      program_version(),
      interrupt_flag(),
      [check = engine_check(*this)](const std::filesystem::path& directory, const ModelDirectory& inspected) {
        return check(directory, inspected, watch_interrupts());
      }};
}

double Program::milliseconds_since_start() const {
  return milliseconds_since(start);
}

}  // namespace roundhouse::host
