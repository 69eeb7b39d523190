// SPDX-License-Identifier: Apache-2.0
// Use cases of host/app on behalf of one request.
#pragma once

#include "host/app/convert.h"
#include "host/server/http/exchange.h"
#include "host/server/services.h"

namespace roundhouse::host {

// The check of models that this client brings; it ends when the client leaves. Refers to both.
inline ModelCheck check_of(const Services& services, const http::Exchange& exchange) {
  if (!services.check) return {};
  return [&services, &exchange](const std::filesystem::path& directory, const ModelDirectory& inspected) {
    return services.check(directory, inspected, exchange.cancelled());
  };
}

// Cancelled with the request; refers to the exchange.
inline AppContext context_of(const Services& services, const http::Exchange& exchange) {
  return {services.store_root, services.models,      services.environment,
          services.version,    exchange.cancelled(), check_of(services, exchange)};
}

// For conversions, with engines as they are known now.
inline ConvertEngines convert_engines(const Services& services) {
  return {*services.registry.snapshot(), services.client, services.make_client};
}

}  // namespace roundhouse::host
