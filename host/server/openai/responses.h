// SPDX-License-Identifier: Apache-2.0
// /v1/responses: answers that may be gone on from by their name.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::openai {

// POST /v1/responses; GET and DELETE /v1/responses/{id}; GET /v1/responses/{id}/input_items. Answers are kept
// in memory for an hour, the newest at the cost of the oldest.
void add_response_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::openai
