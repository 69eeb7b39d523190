// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/sources/backoff.h"
#include "host/sources/file_beginning.h"

namespace roundhouse::host {
namespace {

HttpRequest request_for(const HubOptions& options, const HubRepository& repository, const HubFile& file) {
  HttpRequest request;
  request.url = hub_url(options, "/" + percent_encoded(repository.name, "/") + "/resolve/" +
                                     repository.revision + "/" + percent_encoded(file.path, "/"));
  request.authorization = hub_authorization(options);
  return request;
}

}  // namespace

void fetch_hub_file(HttpClient& client, const HubOptions& options, const HubRepository& repository,
                    const HubFile& file, Download& download, const BytesMoved& moved) {
  RangedSource source;
  source.request = request_for(options, repository, file);
  source.refuse = [&](const HttpResponse& response) { throw_hub_answer(response, repository, file.path); };
  source.shown = "hub: file '" + file.path + "'";
  fetch_ranges(client, source, options.http.cancelled, download, moved);
}

std::string fetch_hub_beginning(HttpClient& client, const HubOptions& options,
                                const HubRepository& repository, const HubFile& file, std::uint64_t bytes) {
  HttpRequest request = request_for(options, repository, file);
  request.headers.set("Range", fmt::format("bytes=0-{}", std::max<std::uint64_t>(bytes, 1) - 1));
  return with_retries(Backoff(options.http.cancelled), [&] {
    std::string beginning;
    const auto is_file = [](const HttpResponse& head) { return head.status == 200 || head.status == 206; };
    try {
      const HttpResponse response = client.stream(
          request, {is_file, [&](std::string_view piece) {
                      beginning += piece.substr(0, static_cast<std::size_t>(bytes - beginning.size()));
                      if (beginning.size() >= bytes) throw EnoughOfAnswer();
                    }});
      if (!is_file(response)) throw_hub_answer(response, repository, file.path);
    } catch (const EnoughOfAnswer&) {  // a server without ranges sends all of it
    }
    return beginning;
  });
}

}  // namespace roundhouse::host
