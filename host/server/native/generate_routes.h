// SPDX-License-Identifier: Apache-2.0
// The native routes that make images, tell how far they are, and stop them.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// POST /generate, GET /progress/{id}, POST /cancel/{id}, POST /load_model.
void add_generate_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
