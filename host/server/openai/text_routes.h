// SPDX-License-Identifier: Apache-2.0
// The routes for text.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::openai {

// POST /v1/chat/completions, /v1/completions and /v1/embeddings. A request is checked, its model looked up,
// and then refused with CAPABILITY_UNSUPPORTED: no engine of this version writes or reads text.
void add_text_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::openai
