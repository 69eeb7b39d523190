// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/blob_routes.h"

#include <charconv>

#include "host/server/http/http_error.h"

namespace roundhouse::host::ollama {
namespace {

constexpr http::RouteOptions kUpload{std::uint64_t{1} << 40, true, false};

Digest digest_of(const http::Exchange& exchange) {
  const std::string& text = exchange.request().parameters.at("digest");
  const auto digest = Digest::parse(text);
  if (!digest)
    throw Error(RH_INVALID_ARGUMENT, "digest: '" + text + "', expected sha256: and 64 hexadecimal digits");
  return *digest;
}

std::uint64_t announced(const http::Request& request) {
  std::uint64_t size = 0;
  if (const auto text = request.headers.find("content-length"))
    std::from_chars(text->data(), text->data() + text->size(), size);
  return size;
}

void head(Uploads& uploads, http::Exchange& exchange) {
  const Digest digest = digest_of(exchange);
  if (!uploads.has(digest))
    throw http::HttpError(404, RH_WEIGHTS_MISSING, "blob '" + digest.text() + "' is not here");
  exchange.send(200, "application/octet-stream", "");
}

void post(Uploads& uploads, http::Exchange& exchange) {
  const Digest digest = digest_of(exchange);
  try {
    uploads.take(digest, announced(exchange.request()), [&] { return exchange.read_body(); });
  } catch (const Error& error) {
    // What the client sent is at fault, not what lies here.
    if (error.code() == RH_INTEGRITY_MISMATCH) throw http::HttpError(400, error.code(), error.what());
    throw;
  }
  exchange.send(201, "application/octet-stream", "");
}

}  // namespace

void add_blob_routes(http::Router& router, const std::shared_ptr<Uploads>& uploads) {
  router.add("HEAD", "/api/blobs/{digest}", {},
             [uploads](http::Exchange& exchange) { head(*uploads, exchange); });
  router.add("POST", "/api/blobs/{digest}", kUpload,
             [uploads](http::Exchange& exchange) { post(*uploads, exchange); });
}

}  // namespace roundhouse::host::ollama
