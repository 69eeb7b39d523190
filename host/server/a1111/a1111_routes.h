// SPDX-License-Identifier: Apache-2.0
// The routes that clients of Stable Diffusion web UI (A1111) speak to: /sdapi/v1/*.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// `services` must outlive the router.
void add_a1111_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
