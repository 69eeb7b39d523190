// SPDX-License-Identifier: Apache-2.0
// /v1/models, and what a name of a model stands for here.
#pragma once

#include <string>

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::openai {

// Whether the catalogue has a model of just that name, present or not.
bool is_model(const ModelCatalogue& catalogue, const std::string& name);

// GET /v1/models and /v1/models/{id...}.
void add_model_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::openai
