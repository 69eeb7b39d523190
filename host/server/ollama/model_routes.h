// SPDX-License-Identifier: Apache-2.0
// What there is and what is loaded: /api/tags, /api/show, /api/ps, /api/copy, /api/delete, /api/stop.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::ollama {

void add_model_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::ollama
