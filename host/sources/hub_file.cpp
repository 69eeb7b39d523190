// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_file.h"

namespace roundhouse::host {

void fetch_hub_file(HttpClient& client, const HubOptions& options, const HubRepository& repository,
                    const HubFile& file, Download& download, const BytesMoved& moved) {
  RangedSource source;
  source.request.url = hub_url(options, "/" + percent_encoded(repository.name, "/") + "/resolve/" +
                                            repository.revision + "/" + percent_encoded(file.path, "/"));
  source.request.authorization = hub_authorization(options);
  source.refuse = [&](const HttpResponse& response) { throw_hub_answer(response, repository, file.path); };
  source.shown = "hub: file '" + file.path + "'";
  fetch_ranges(client, source, options.http.cancelled, download, moved);
}

}  // namespace roundhouse::host
