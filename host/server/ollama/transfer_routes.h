// SPDX-License-Identifier: Apache-2.0
// POST /api/pull, /api/push and /api/create: models that come, go and are made, with their progress.
#pragma once

#include <memory>

#include "host/server/http/router.h"
#include "host/server/ollama/uploads.h"
#include "host/server/services.h"

namespace roundhouse::host::ollama {

void add_transfer_routes(http::Router& router, const Services& services,
                         const std::shared_ptr<Uploads>& uploads);

}  // namespace roundhouse::host::ollama
