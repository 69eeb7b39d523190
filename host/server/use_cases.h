// SPDX-License-Identifier: Apache-2.0
// Use cases of host/app on behalf of one request.
#pragma once

#include "host/app/app_context.h"
#include "host/server/http/exchange.h"
#include "host/server/services.h"

namespace roundhouse::host {

// Cancelled with the request; refers to the exchange.
inline AppContext context_of(const Services& services, const http::Exchange& exchange) {
  return {services.store_root, services.models,      services.environment,
          services.version,    exchange.cancelled(), services.check};
}

}  // namespace roundhouse::host
