// SPDX-License-Identifier: Apache-2.0
// /v1/images/*.
#pragma once

#include <memory>

#include "host/server/http/router.h"
#include "host/server/openai/image_request.h"
#include "host/server/services.h"
#include "host/server/shelf.h"

namespace roundhouse::host::openai {

// POST /v1/images/generations, and GET /v1/images/files/{name} for images by address.
void add_generation_routes(http::Router& router, const Services& services,
                           const std::shared_ptr<Shelf>& shelf);

// POST /v1/images/edits and /v1/images/variations.
void add_edit_routes(http::Router& router, const Services& services, const std::shared_ptr<Shelf>& shelf);

// Makes the images and answers, whole or as events whose types begin with `event` ("image_generation").
void answer_with_images(const Services& services, http::Exchange& exchange, Shelf& shelf, ImageRequest image,
                        const std::string& event);

}  // namespace roundhouse::host::openai
