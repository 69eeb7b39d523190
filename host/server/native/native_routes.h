// SPDX-License-Identifier: Apache-2.0
// The daemon's own routes, which are those of the pixel-art server and its clients, extended.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// `services` must outlive the router.
void add_native_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
