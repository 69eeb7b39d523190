// SPDX-License-Identifier: Apache-2.0
// POST /verify and /gc: whether the store's models are what they were, and the space that no name needs.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// `services` must outlive the router.
void add_store_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
