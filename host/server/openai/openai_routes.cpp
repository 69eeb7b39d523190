// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/openai_routes.h"

#include "host/server/openai/chat.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/images.h"
#include "host/server/openai/models.h"
#include "host/server/openai/responses.h"

namespace roundhouse::host {

void add_openai_routes(http::Router& router, const Services& services) {
  router.add({"openai", "/v1/", openai::failure_json});
  openai::add_model_routes(router, services);
  const auto shelf = std::make_shared<Shelf>(Shelf::Limits{});
  openai::add_generation_routes(router, services, shelf);
  openai::add_edit_routes(router, services, shelf);
  openai::add_chat_routes(router, services);
  openai::add_completion_routes(router, services);
  openai::add_embedding_routes(router, services);
  openai::add_response_routes(router, services);
}

}  // namespace roundhouse::host
