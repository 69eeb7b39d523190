// SPDX-License-Identifier: Apache-2.0
// /v1/images/*.
#pragma once

#include <memory>

#include "host/server/http/router.h"
#include "host/server/services.h"
#include "host/server/shelf.h"

namespace roundhouse::host::openai {

// POST /v1/images/generations, and GET /v1/images/files/{name} for images by address.
void add_generation_routes(http::Router& router, const Services& services);

// POST /v1/images/edits and /v1/images/variations.
void add_edit_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::openai
