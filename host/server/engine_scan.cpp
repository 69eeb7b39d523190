// SPDX-License-Identifier: Apache-2.0
// The registry looks again, and the pool lets go of what is out of date.
#include "host/server/engine_scan.h"

#include <nlohmann/json.hpp>

#include "roundhouse/ext/log.h"

namespace roundhouse::host {

EngineChanges rescan_engines(const Services& services, bool forced) {
  EngineChanges changes = forced ? services.registry.rescan() : services.registry.refresh();
  if (changes.none()) return changes;
  std::size_t workers = 0;
  for (const auto* ids : {&changes.replaced, &changes.removed}) {
    for (const std::string& id : *ids)
      workers += services.pool.retire_engine(id);
  }
  services.log.write(RH_LOG_INFO, "daemon", "engines changed",
                     {{"added", changes.added},
                      {"removed", changes.removed},
                      {"replaced", changes.replaced},
                      {"workers_ended", workers}});
  for (const EngineRecord& record : services.registry.snapshot()->records()) {
    if (record.state == EngineState::unusable && record.error)
      services.log.write(RH_LOG_WARNING, "daemon", "an engine cannot be used",
                         {{"engine", record.id}, {"error", record.error->what()}});
  }
  return changes;
}

}  // namespace roundhouse::host
