// SPDX-License-Identifier: Apache-2.0
// One file of any web server: no listing says what it is.
#pragma once

#include "host/sources/ranged_fetch.h"

namespace roundhouse::host {

struct WebFile {
  Url url;
  std::uint64_t size = 0;  // bytes
  std::string version;     // what the server says of its content (ETag, Last-Modified); may be empty

  std::string name() const;  // the last part of the path, decoded: "model.gguf"; may be empty
  // Another content under the address is another download.
  DownloadTarget target() const;
};

// Asks for the first byte. Throws MODEL_NOT_FOUND for 404 and 410, AUTH_REQUIRED for 401 and 403, else
// SOURCE_REJECTED; also for a server that does not tell a size. What HttpClient throws.
WebFile find_web_file(const Url& url, HttpClient& client, const HttpOptions& options);

// The first bytes of the file; fewer where it is shorter. Throws as find_web_file.
std::string fetch_web_beginning(HttpClient& client, const HttpOptions& options, const WebFile& file,
                                std::uint64_t bytes);

// As fetch_ranges.
void fetch_web_file(HttpClient& client, const HttpOptions& options, const WebFile& file, Download& download,
                    const BytesMoved& moved);

}  // namespace roundhouse::host
