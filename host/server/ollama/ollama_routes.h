// SPDX-License-Identifier: Apache-2.0
// The routes that clients of Ollama speak to: /api/*, and its greeting.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// `services` must outlive the router.
void add_ollama_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
