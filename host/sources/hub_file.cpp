// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_file.h"

#include "host/sources/backoff.h"

namespace roundhouse::host {
namespace {

class HubFileFetch {
 public:
  HubFileFetch(HttpClient& client, const HubOptions& options, const HubRepository& repository,
               const HubFile& file, Download& download, const BytesMoved& moved)
      : client_(client),
        options_(options),
        repository_(repository),
        file_(file),
        download_(download),
        moved_(moved) {}

  void run() {
    Backoff backoff(options_.http.cancelled);
    while (!download_.complete() && !ended_) {
      const std::uint64_t before = download_.have();
      try {
        attempt();
      } catch (const Error& error) {
        if (download_.have() > before) backoff.progressed();
        backoff.wait_after(error);
      }
    }
  }

 private:
  void attempt() {
    HttpRequest request;
    request.url = hub_url(options_, "/" + percent_encoded(repository_.name, "/") + "/resolve/" +
                                        repository_.revision + "/" + percent_encoded(file_.path, "/"));
    request.authorization = hub_authorization(options_);
    const std::uint64_t before = download_.have();
    if (before > 0) request.headers.set("Range", "bytes=" + std::to_string(before) + "-");
    const HttpResponse response =
        client_.stream(request, {[&](const HttpResponse& head) { return begin(head, before); },
                                 [&](std::string_view bytes) { take(bytes); }});
    switch (response.status) {
      case 200:
        ended_ = true;
        return;
      case 206:  // a part of what was asked for is enough to go on
        ended_ = download_.have() == before;
        return;
      case 416:
        if (before == 0) break;
        restart();  // what is here is no beginning of what is there
        return;
      default:
        break;
    }
    throw_hub_answer(response, repository_, file_.path);
  }

  // Whether the body is the file's.
  bool begin(const HttpResponse& head, std::uint64_t before) {
    if (head.status == 200) {
      if (before > 0) restart();  // the server does not know ranges
      return true;
    }
    if (head.status != 206) return false;
    const std::string range = head.headers.get("Content-Range");
    if (!range.starts_with("bytes " + std::to_string(before) + "-"))
      throw Error(RH_SOURCE_REJECTED, "hub: file '" + file_.path + "': asked for bytes from " +
                                          std::to_string(before) + ", got '" + range.substr(0, 60) + "'");
    return true;
  }

  void restart() {
    const auto had = static_cast<std::int64_t>(download_.have());
    download_.restart();
    moved_(-had);
  }

  void take(std::string_view bytes) {
    download_.append(bytes);
    moved_(static_cast<std::int64_t>(bytes.size()));
  }

  HttpClient& client_;
  const HubOptions& options_;
  const HubRepository& repository_;
  const HubFile& file_;
  Download& download_;
  const BytesMoved& moved_;
  bool ended_ = false;
};

}  // namespace

void fetch_hub_file(HttpClient& client, const HubOptions& options, const HubRepository& repository,
                    const HubFile& file, Download& download, const BytesMoved& moved) {
  HubFileFetch(client, options, repository, file, download, moved).run();
}

}  // namespace roundhouse::host
