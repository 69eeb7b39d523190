// SPDX-License-Identifier: Apache-2.0
// /v1/chat/completions and /v1/completions.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::openai {

void add_chat_routes(http::Router& router, const Services& services);
void add_completion_routes(http::Router& router, const Services& services);
// /v1/embeddings.
void add_embedding_routes(http::Router& router, const Services& services);

// Conversations may be long.
inline constexpr http::RouteOptions kConversations{std::uint64_t{64} << 20, false, false};

}  // namespace roundhouse::host::openai
