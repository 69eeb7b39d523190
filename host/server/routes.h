// SPDX-License-Identifier: Apache-2.0
// All that the daemon answers: one function for each dialect, in a folder of its own.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// `services` must outlive the router.
void add_all_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
