// SPDX-License-Identifier: Apache-2.0
// One file of an HTTP server, from wherever its download has come to up to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/store/download.h"
#include "host/transport/http_client.h"

namespace roundhouse::host {

// Gets by how many bytes the download has grown; less than zero when it begins anew. May throw.
using BytesMoved = std::function<void(std::int64_t)>;

struct RangedSource {
  HttpRequest request;                              // for the whole file
  std::function<void(const HttpResponse&)> refuse;  // throws the error for an answer that is no file
  std::string shown;                                // "hub: file 'vae/config.json'"
};

// Fetches what is missing. Cut connections and answers that ask for backoff are tried again from where the
// download is; a server without ranges begins anew. Returns when the source has no more to send; whether that
// is the file is for Download::publish to say. `cancelled` may be empty.
void fetch_ranges(HttpClient& client, const RangedSource& source, const std::function<bool()>& cancelled,
                  Download& download, const BytesMoved& moved);

}  // namespace roundhouse::host
