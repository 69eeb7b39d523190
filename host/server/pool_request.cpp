// SPDX-License-Identifier: Apache-2.0
#include "host/server/pool_request.h"

#include <string>

namespace roundhouse::host {

void note_placement(http::Exchange& exchange, const Placement& placement) {
  exchange.notes()["engine"] = placement.engine;
  exchange.notes()["model"] = name_of(placement.model);
}

http::HttpError queue_full(const QueueFull& error) {
  return {
      503, RH_QUEUE_FULL, error.what(), {}, {{"Retry-After", std::to_string(error.retry_after_seconds())}}};
}

void tell_placement(http::Exchange& exchange, const Placement& placement) {
  exchange.header("X-Roundhouse-Engine", placement.engine);
  exchange.header("X-Roundhouse-Model", name_of(placement.model));
}

void note_lease(http::Exchange& exchange, const LeaseReport& report) {
  nlohmann::json& notes = exchange.notes();
  notes["engine"] = report.placement.engine;
  notes["waiting_ms"] = report.waiting_milliseconds;
  notes["load_ms"] = report.loading_milliseconds;
}

}  // namespace roundhouse::host
