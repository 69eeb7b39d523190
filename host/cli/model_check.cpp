// SPDX-License-Identifier: Apache-2.0
#include "host/cli/model_check.h"

#include "host/worker/rates.h"

namespace roundhouse::host {

InspectionResult inspect_by_engine(const Program& program, const ModelDirectory& directory,
                                   const std::atomic<bool>& cancelled) {
  Registry registry = program.registry();
  const std::unique_ptr<Log> log = program.log();
  ClientOptions options;
  options.log = [&](std::uint32_t level, const std::string& category, const std::string& message) {
    log->write(level, category, message);
  };
  // As `generate` does before it chooses: both ask one engine.
  measure_rates(registry, program.rate_cache(), options);
  return inspect_directory(directory, registry, options, cancelled);
}

CancellableCheck engine_check(const Program& program) {
  return [&program](const std::filesystem::path& directory, const ModelDirectory& inspected,
                    const std::atomic<bool>& cancelled) {
    ModelDirectory at = inspected;
    at.path = directory;
    const InspectionResult result = inspect_by_engine(program, at, cancelled);
    const std::vector<Error> errors = errors_of(result);
    if (!errors.empty()) throw Error(errors.front());
    return result.engine.empty() ? result.not_looked : "";
  };
}

}  // namespace roundhouse::host
