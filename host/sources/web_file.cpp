// SPDX-License-Identifier: Apache-2.0
#include "host/sources/web_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "host/sources/backoff.h"
#include "host/sources/file_beginning.h"

namespace roundhouse::host {
namespace {

std::string shown(const Url& url) {
  return "source '" + url.shown() + "'";
}

[[noreturn]] void throw_web_answer(const HttpResponse& response, const Url& url) {
  const std::string text = fmt::format("{}: the server answers {}", shown(url), response.status);
  if (is_busy(response.status)) throw SourceBusy(response, text);
  if (response.status == 404 || response.status == 410) throw Error(RH_MODEL_NOT_FOUND, text);
  if (response.status == 401 || response.status == 403)
    throw Error(RH_AUTH_REQUIRED, text,
                "files behind a login are to be fetched by other means, then imported");
  throw Error(RH_SOURCE_REJECTED, text);
}

// Of "bytes 0-0/1234".
std::optional<std::uint64_t> whole_size(const std::string& range) {
  const std::size_t slash = range.find('/');
  if (slash == std::string::npos) return std::nullopt;
  std::uint64_t size = 0;
  const char* end = range.data() + range.size();
  const auto [last, error] = std::from_chars(range.data() + slash + 1, end, size);
  return error == std::errc() && last == end ? std::optional(size) : std::nullopt;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decoded(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

}  // namespace

std::string WebFile::name() const {
  const std::string path = url.target().substr(0, url.target().find('?'));
  return decoded(path.substr(path.rfind('/') + 1));
}

DownloadTarget WebFile::target() const {
  return {name(), size, {}, {}, fmt::format("{} {} {}", url.text(), size, version)};
}

WebFile find_web_file(const Url& url, HttpClient& client, const HttpOptions& options) {
  HttpRequest request;
  request.url = url;
  request.headers.set("Range", "bytes=0-0");
  const HttpResponse response = with_retries(Backoff(options.cancelled), [&] {
    HttpResponse answer = client.stream(request, {[](const HttpResponse&) { return false; }, {}});
    if (answer.status != 200 && answer.status != 206) throw_web_answer(answer, url);
    return answer;
  });
  const auto size =
      response.status == 206 ? whole_size(response.headers.get("Content-Range")) : response.content_length();
  if (!size) throw Error(RH_SOURCE_REJECTED, shown(url) + ": the server does not tell how large the file is");
  const std::string* tag = response.headers.find("ETag");
  return {url, *size, tag != nullptr ? *tag : response.headers.get("Last-Modified")};
}

std::string fetch_web_beginning(HttpClient& client, const HttpOptions& options, const WebFile& file,
                                std::uint64_t bytes) {
  HttpRequest request;
  request.url = file.url;
  request.headers.set("Range", fmt::format("bytes=0-{}", std::max<std::uint64_t>(bytes, 1) - 1));
  return with_retries(Backoff(options.cancelled), [&] {
    std::string beginning;
    const auto is_file = [](const HttpResponse& head) { return head.status == 200 || head.status == 206; };
    try {
      const HttpResponse response = client.stream(
          request, {is_file, [&](std::string_view piece) {
                      beginning += piece.substr(0, static_cast<std::size_t>(bytes - beginning.size()));
                      if (beginning.size() >= bytes) throw EnoughOfAnswer();
                    }});
      if (!is_file(response)) throw_web_answer(response, file.url);
    } catch (const EnoughOfAnswer&) {  // a server without ranges sends all of it
    }
    return beginning;
  });
}

void fetch_web_file(HttpClient& client, const HttpOptions& options, const WebFile& file, Download& download,
                    const BytesMoved& moved) {
  RangedSource source;
  source.request.url = file.url;
  source.refuse = [&](const HttpResponse& response) { throw_web_answer(response, file.url); };
  source.shown = shown(file.url);
  fetch_ranges(client, source, options.cancelled, download, moved);
}

}  // namespace roundhouse::host
