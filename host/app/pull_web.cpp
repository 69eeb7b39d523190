// SPDX-License-Identifier: Apache-2.0
#include "host/app/pull_web.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/sources/file_beginning.h"
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
    import.name = ModelName::made_of(fs::path(file.name()).stem().string()).text();
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

// What is wrong with a file that lies in the store for now, in words of its source.
template <class Work>
auto in_words_of_source(const WebFile& file, const fs::path& path, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    std::string text = error.what();
    const std::string place = path.string();
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place))
      text.replace(at, place.size(), file.name());
    throw Error(error.code(), "source '" + file.url.shown() + "': " + text, std::string(error.hint()));
  }
}

// Before gigabytes come that make no model: the file as it will be, by what begins it.
void rehearse(const AppContext& context, const PullRequest& request, const HttpOptions& http,
              HttpClient& client, const WebFile& file, Download& download) {
  const std::string name = file.name();
  if (!name.ends_with(".gguf") && !name.ends_with(".safetensors")) return;
  ModelIntake intake(context.store_root);
  const fs::path path = intake.session().fresh_path();
  write_beginning(path, name, file.size,
                  [&](std::uint64_t bytes) { return fetch_web_beginning(client, http, file, bytes); });
  in_words_of_source(file, path, [&] { rehearse_import(context, import_of_download(request, file, path)); });
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
  const std::uint64_t before = download.have();
  if (!download.complete()) rehearse(context, request, http, client, file, download);
  const std::uint64_t begun = download.have() - std::min(before, download.have());
  const std::uint64_t fetched = begun + fetch(context, request, http, client, file, download);
  return in_words_of_source(file, download.path(), [&] {
    ImportReport report = import_model(context, import_of_download(request, file, download.path()));
    download.discard();
    report.bytes_fetched = fetched;
    return report;
  });
}

}  // namespace roundhouse::host
