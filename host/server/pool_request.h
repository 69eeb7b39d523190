// SPDX-License-Identifier: Apache-2.0
// What requests of every kind do with the pool: say it in the words of HTTP, and tell the log.
#pragma once

#include <nlohmann/json.hpp>

#include "host/residency/lease.h"
#include "host/residency/pool.h"
#include "host/server/http/exchange.h"
#include "host/server/http/http_error.h"

namespace roundhouse::host {

// Engine and model, for the request's line in the log.
void note_placement(http::Exchange& exchange, const Placement& placement);

// 503 with Retry-After.
http::HttpError queue_full(const QueueFull& error);

// Says in the fields X-Roundhouse-Engine and X-Roundhouse-Model of the answer what does it. Once, before the
// answer begins.
void tell_placement(http::Exchange& exchange, const Placement& placement);

// How long a lease took, for the log.
void note_lease(http::Exchange& exchange, const LeaseReport& report);

// What `work`, which has the pool lend a worker, returns; `report_of` tells its LeaseReport.
template <typename Work, typename ReportOf>
auto in_pool(http::Exchange& exchange, Work&& work, ReportOf&& report_of) {
  try {
    auto result = work();
    note_lease(exchange, report_of(result));
    return result;
  } catch (const QueueFull& error) {
    throw queue_full(error);
  }
}

}  // namespace roundhouse::host
