// SPDX-License-Identifier: Apache-2.0
// Requests on their way to a server.
#pragma once

#include <string>

#include "host/transport/connection.h"

namespace roundhouse::host {

// The request line and the headers, up to the body. `authorized`: with the credential, if the request has
// one. `proxy`: that forwards a plain request; it gets the whole URL and its own credential. Throws
// INVALID_ARGUMENT for a method or a header that would be more than one.
std::string request_head(const HttpRequest& request, const Url& url, bool authorized,
                         const std::string& user_agent, const std::optional<Proxy>& proxy = {});

// Throws what Connection throws, IO_ERROR for a file that cannot be read, and what request.sent throws.
void send_body(Connection& connection, const HttpRequest& request);

}  // namespace roundhouse::host
