// SPDX-License-Identifier: Apache-2.0
// POST /api/generate, /api/chat, /api/embed and /api/embeddings.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::ollama {

void add_generate_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::ollama
