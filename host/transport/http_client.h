// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP/1.1 client, for sources of models.
#pragma once

#include <cstdint>
#include <memory>

#include "host/transport/http.h"

namespace roundhouse::host {

// Connections are kept for the next request to the same origin. One client belongs to one thread at a time;
// make one for each thread that fetches.
//
// Redirects are followed for GET and HEAD (and 307 and 308 for other methods); other responses, also 4xx and
// 5xx, are returned. Throws INVALID_ARGUMENT for a plain http URL that may not be used, a method or a header
// that cannot be sent; HttpFailure (SOURCE_UNREACHABLE) when there is no whole response; SOURCE_REJECTED for
// one that is not HTTP, has more than 64 KiB of headers or 16 KiB in one of them, is larger than asked for,
// leads from https to http, redirects or says "continue" for ever; CANCELLED; IO_ERROR for a file that cannot
// be read; AUTH_REQUIRED for a proxy that asks for a login. Messages name host and reason, never a query or
// an Authorization.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // The whole response, whose body may have at most `body_limit` bytes.
  HttpResponse fetch(const HttpRequest& request, std::uint64_t body_limit);
  // Gives the body to the sink as it comes. Returns the response without it.
  HttpResponse stream(const HttpRequest& request, const HttpSink& sink);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace roundhouse::host
