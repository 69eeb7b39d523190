// SPDX-License-Identifier: Apache-2.0
// The list of dialects.
#include "host/server/routes.h"

#include "host/server/a1111/a1111_routes.h"
#include "host/server/anthropic/anthropic_routes.h"
#include "host/server/native/native_routes.h"
#include "host/server/ollama/ollama_routes.h"
#include "host/server/openai/openai_routes.h"

namespace roundhouse::host {

void add_all_routes(http::Router& router, const Services& services) {
  add_native_routes(router, services);
  add_openai_routes(router, services);
  add_a1111_routes(router, services);
  add_ollama_routes(router, services);
  add_anthropic_routes(router, services);
}

}  // namespace roundhouse::host
