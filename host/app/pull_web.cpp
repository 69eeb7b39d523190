// SPDX-License-Identifier: Apache-2.0
#include "host/app/pull_web.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/sources/web_file.h"
#include "host/store/assembly.h"
#include "host/store/download.h"
#include "host/store/model_intake.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// The file was made for this import alone: it becomes a blob by a link.
ImportRequest import_of_download(const PullRequest& request, const WebFile& file, const fs::path& path) {
  ImportRequest import;
  import.path = path.string();
  import.parts = request.parts;
  import.link_mode = LinkMode::link;
  import.source = file.url.shown();
  import.progress = request.progress;
  if (request.name) {
    import.name = request.name->text();
  } else if (weight_format_of(path) != WeightFormat::neither) {
    import.name = fs::path(file.name()).stem().string();
  }
  return import;
}

// Returns how many bytes came.
std::uint64_t fetch(const AppContext& context, const PullRequest& request, const HttpOptions& http,
                    HttpClient& client, const WebFile& file, Download& download) {
  const std::uint64_t before = download.have();
  std::uint64_t fetched = 0;
  fetch_web_file(client, http, file, download, [&](std::int64_t bytes) {
    if (context.cancelled) throw Error(RH_CANCELLED, "cancelled while pulling '" + file.name() + "'");
    if (bytes > 0) fetched += static_cast<std::uint64_t>(bytes);
    const std::uint64_t have = download.have();
    if (request.progress)
      request.progress(
          {file.name(), have, file.size, std::min(before, have), FileProgress{{}, have, file.size}});
  });
  if (!download.complete())
    throw Error(RH_SOURCE_REJECTED, fmt::format("source '{}': ended after {} of {} bytes", file.url.shown(),
                                                download.have(), file.size));
  return fetched;
}

}  // namespace

bool is_web_source(const std::string& source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

ImportReport pull_web(const AppContext& context, const PullRequest& request) {
  HttpOptions http = context.http();
  http.allow_plain_http = request.hub.allow_http;
  HttpClient client(http);
  const WebFile file = find_web_file(Url::parse(request.source), client, http);
  const StorePaths paths{context.store_root};
  ModelIntake(context.store_root).require_space(missing_bytes(paths, file.target()));
  Download download(paths, file.target(), [&] {
    if (context.cancelled) throw Error(RH_CANCELLED, "cancelled while pulling '" + file.name() + "'");
  });
  const std::uint64_t fetched = fetch(context, request, http, client, file, download);
  try {
    ImportReport report = import_model(context, import_of_download(request, file, download.path()));
    download.discard();
    report.bytes_fetched = fetched;
    return report;
  } catch (const Error& error) {
    throw Error(error.code(), "source '" + file.url.shown() + "': " + error.what(),
                std::string(error.hint()));
  }
}

}  // namespace roundhouse::host
