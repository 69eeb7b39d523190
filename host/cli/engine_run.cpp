// SPDX-License-Identifier: Apache-2.0
#include "host/cli/engine_run.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/app/pull.h"
#include "host/cli/generate_summary.h"
#include "host/cli/in_process.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/cli/transfer_view.h"
#include "host/store/store_settings.h"

namespace roundhouse::host {

EngineRun::EngineRun(const Program& program, const EngineFlags& flags, bool json)
    : program_(program),
      flags_(flags),
      json_(json),
      log_(program.log()),
      threads_(thread_budget(flags.threads)) {
}

void EngineRun::begin(const std::optional<std::string>& model) {
  registry_.emplace(program_.registry(threads_));
  if (model && (flags_.pull || read_store_settings(program_.user_directory()).auto_pull))
    pull_if_absent(program_.app(), *model, transfer_progress("pulling " + *model, json_));
}

// Where the choice is free, the engines must be known. Returns whether more is known than before.
bool EngineRun::measure_rivals(const RouteRequest& route) {
  const std::vector<std::string> engines = rivals(route, registry_->records());
  if (engines.empty()) return false;
  ClientOptions options;
  options.threads = threads_;
  return measure_rates(*registry_, program_.rate_cache(), options, {.engines = engines});
}

void EngineRun::prepare_process(const Placement& placement, const std::string* standard_input) const {
  const EngineRecord* engine = registry_->find(placement.engine);
  if (flags_.in_process && engine != nullptr && engine->manifest)
    ensure_engine_environment(program_, *engine->manifest, standard_input);
}

void EngineRun::explain() const {
  if (flags_.explain && !json_) print(verdicts_text(decision_, terminal_width(STDOUT_FILENO)) + "\n");
}

ClientOptions EngineRun::client() const {
  ClientOptions options;
  options.threads = threads_;
  options.log = [this](std::uint32_t level, const std::string& category, const std::string& message) {
    if (before_log) before_log();
    log_->write(level, category, message);
  };
  return options;
}

}  // namespace roundhouse::host
