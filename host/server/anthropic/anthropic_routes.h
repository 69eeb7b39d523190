// SPDX-License-Identifier: Apache-2.0
// Anthropic's Messages, which coding assistants speak.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host {

// POST /v1/messages and /v1/messages/count_tokens.
void add_anthropic_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host
