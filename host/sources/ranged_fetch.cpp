// SPDX-License-Identifier: Apache-2.0
#include "host/sources/ranged_fetch.h"

#include <fmt/format.h>

#include "host/sources/backoff.h"

namespace roundhouse::host {
namespace {

class RangedFetch {
 public:
  RangedFetch(HttpClient& client, const RangedSource& source, Download& download, const BytesMoved& moved)
      : client_(client), source_(source), download_(download), moved_(moved) {}

  void run(const std::function<bool()>& cancelled) {
    Backoff backoff(cancelled);
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
    HttpRequest request = source_.request;
    const std::uint64_t before = download_.have();
    if (before > 0) request.headers.set("Range", fmt::format("bytes={}-", before));
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
    source_.refuse(response);
  }

  // Whether the body is the file's.
  bool begin(const HttpResponse& head, std::uint64_t before) {
    if (head.status == 200) {
      if (before > 0) restart();  // the server does not know ranges
      return true;
    }
    if (head.status != 206) return false;
    const std::string range = head.headers.get("Content-Range");
    if (!range.starts_with(fmt::format("bytes {}-", before)))
      throw Error(RH_SOURCE_REJECTED, fmt::format("{}: asked for bytes from {}, got '{}'", source_.shown,
                                                  before, range.substr(0, 60)));
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
  const RangedSource& source_;
  Download& download_;
  const BytesMoved& moved_;
  bool ended_ = false;
};

}  // namespace

void fetch_ranges(HttpClient& client, const RangedSource& source, const std::function<bool()>& cancelled,
                  Download& download, const BytesMoved& moved) {
  RangedFetch(client, source, download, moved).run(cancelled);
}

}  // namespace roundhouse::host
