// SPDX-License-Identifier: Apache-2.0
#include "host/transport/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <map>

#include "host/transport/connection.h"
#include "host/transport/request_writer.h"
#include "host/transport/tunnel.h"

namespace roundhouse::host {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::uint32_t kHeaderLimit = 64 << 10;
constexpr std::size_t kFieldLimit = 16 << 10;       // a signed address has two thousand bytes
constexpr unsigned kMaximumInterim = 16;            // answers "continue" and the like before the answer
constexpr std::size_t kMaximumKept = 4;             // connections
constexpr std::size_t kIncidentalBytes = 64 << 10;  // of a body that nobody asked for

// Gets the head of a response and returns where its body goes; none: the body is incidental.
using BodyCallback = std::function<void(std::string_view)>;
using HeadCallback = std::function<BodyCallback(HttpResponse&)>;

// Takes the bytes of one response and gives them on.
class ResponseParser final : public http::basic_parser<false> {
 public:
  ResponseParser(const Url& url, bool head_only, HeadCallback head) : head_(std::move(head)) {
    response.url = url;
    header_limit(kHeaderLimit);
    body_limit(boost::none);
    skip(head_only);
  }

  HttpResponse response;
  bool abandoned = false;  // more of an incidental body than is worth reading

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override {
    response.status = static_cast<unsigned>(code);
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    // Beast's own limit holds for what it has at a time, not for the sum.
    head_bytes_ += name.size() + value.size() + 4;
    if (name.size() + value.size() > kFieldLimit || head_bytes_ > kHeaderLimit) {
      error = http::error::header_limit;
      return;
    }
    response.headers.add(std::string(name), std::string(value));
  }
  void on_header_impl(error_code&) override { body_ = head_(response); }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code&) override { return take(bytes); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
    return take(bytes);
  }
  void on_finish_impl(error_code&) override {}

  std::size_t take(string_view bytes) {
    if (body_) {
      body_({bytes.data(), bytes.size()});
    } else {
      const std::size_t count = std::min(bytes.size(), kIncidentalBytes - response.body.size());
      response.body.append(bytes.data(), count);
      abandoned = abandoned || count < bytes.size();
    }
    return bytes.size();
  }

  HeadCallback head_;
  std::size_t head_bytes_ = 0;
  BodyCallback body_;
};

bool is_redirect(const HttpRequest& request, unsigned status) {
  const bool safe = request.method == "GET" || request.method == "HEAD";
  return status == 307 || status == 308 || (safe && (status == 301 || status == 302 || status == 303));
}

// Where the redirect leads. Throws SOURCE_REJECTED.
Url redirected(const HttpResponse& response) {
  const std::string* location = response.headers.find("Location");
  if (location == nullptr)
    throw Error(RH_SOURCE_REJECTED,
                fmt::format("{}: answered {} without a Location", response.url.shown(), response.status));
  Url next = response.url.resolve(*location);
  if (response.url.secure() && !next.secure())
    throw Error(RH_SOURCE_REJECTED,
                response.url.shown() + ": leads from https to plain http, to " + next.shown());
  return next;
}

}  // namespace

class HttpClient::Implementation {
 public:
  explicit Implementation(HttpOptions options) : options_(std::move(options)), trust_(options_.ca_file) {}

  HttpResponse run(const HttpRequest& request, const HeadCallback& head) {
    Url url = request.url;
    require_allowed(url, RH_INVALID_ARGUMENT);
    bool authorized = true;
    for (unsigned redirects = 0;; ++redirects) {
      bool redirect = false;
      HttpResponse response = exchange(request, url, authorized, [&](HttpResponse& seen) -> BodyCallback {
        redirect = is_redirect(request, seen.status);
        return redirect ? BodyCallback() : head(seen);
      });
      if (!redirect) return response;
      if (redirects == options_.max_redirects)
        throw Error(RH_SOURCE_REJECTED, fmt::format("{}: redirects more than {} times", request.url.shown(),
                                                    options_.max_redirects));
      const Url next = redirected(response);
      require_allowed(next, RH_SOURCE_REJECTED);
      authorized = authorized && next.same_origin(url);  // once dropped, dropped for good
      url = next;
    }
  }

 private:
  void require_allowed(const Url& url, rh_status code) const {
    const auto proxy = options_.proxies.find(url);
    const bool within = url.loopback() && (!proxy || proxy->url.loopback());
    if (url.secure() || options_.allow_plain_http || within) return;
    throw Error(code,
                "url '" + url.shown() + "': plain http is used only within this machine, expected https",
                "use https, or add --allow-http where you trust the network");
  }

  HttpResponse exchange(const HttpRequest& request, const Url& url, bool authorized,
                        const HeadCallback& head) {
    // A secure request goes through a tunnel, as if there were no proxy.
    const auto proxy = url.secure() ? std::nullopt : options_.proxies.find(url);
    const std::string text = request_head(request, url, authorized, options_.user_agent, proxy);
    std::unique_ptr<Connection> kept = take(url);
    const bool again = kept != nullptr && (request.method == "GET" || request.method == "HEAD");
    bool answered = false;
    const HeadCallback first = [&](HttpResponse& response) {
      answered = true;
      return head(response);
    };
    try {
      return exchange_on(std::move(kept), request, url, text, first);
    } catch (const HttpFailure& failure) {
      // The server may have ended a kept connection just when it was used again.
      if (!again || answered || failure.step() != HttpFailure::Step::cut) throw;
    }
    return exchange_on(nullptr, request, url, text, head);
  }

  HttpResponse exchange_on(std::unique_ptr<Connection> connection, const HttpRequest& request, const Url& url,
                           const std::string& text, const HeadCallback& head) {
    if (!connection)
      connection = std::make_unique<Connection>(url, options_.proxies.find(url), options_, trust_);
    connection->write_all(text);
    std::optional<HttpFailure> unsent;
    try {
      send_body(*connection, request);
    } catch (const HttpFailure& failure) {
      if (failure.step() != HttpFailure::Step::cut) throw;
      unsent = failure;  // the answer may lie there already, and say why
    }
    try {
      return receive(std::move(connection), request, url, head, !unsent);
    } catch (const HttpFailure&) {
      if (unsent) throw HttpFailure(*unsent);
      throw;
    }
  }

  HttpResponse receive(std::unique_ptr<Connection> connection, const HttpRequest& request, const Url& url,
                       const HeadCallback& head, bool keep) {
    std::string buffer(kReadBytes, '\0');
    std::size_t filled = 0;
    for (unsigned before = 0;; ++before) {
      if (before > kMaximumInterim)
        throw Error(RH_SOURCE_REJECTED,
                    fmt::format("{}: says to continue more than {} times", url.shown(), kMaximumInterim));
      const auto interim = [](const HttpResponse& response) {
        return response.status >= 100 && response.status < 200;
      };
      ResponseParser parser(url, request.method == "HEAD", [&](HttpResponse& response) {
        if (interim(response)) return BodyCallback();
        if (response.status == kProxyLogin && options_.proxies.find(url))
          throw proxy_wants_login(*options_.proxies.find(url));
        require_plain_encoding(response);
        return head(response);
      });
      read_response(*connection, url, parser, buffer, filled);
      if (interim(parser.response)) continue;
      if (keep && !parser.abandoned && parser.keep_alive() && filled == 0)
        put_back(url, std::move(connection));
      return std::move(parser.response);
    }
  }

  static void require_plain_encoding(const HttpResponse& response) {
    const std::string encoding = response.headers.get("Content-Encoding");
    if (encoding.empty() || encoding == "identity") return;
    throw Error(RH_SOURCE_REJECTED, response.url.shown() + ": answered with content encoding '" +
                                        encoding.substr(0, 40) + "', expected none");
  }

  // `buffer` holds `filled` bytes that came with the message before, and afterwards those of the next.
  static void read_response(Connection& connection, const Url& url, ResponseParser& parser,
                            std::string& buffer, std::size_t& filled) {
    parser.eager(true);
    bool ended = false;
    while (!parser.is_done() && !parser.abandoned) {
      error_code error;
      std::size_t used = 0;
      if (filled > 0) used = parser.put(boost::asio::buffer(buffer.data(), filled), error);
      std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(used),
                buffer.begin() + static_cast<std::ptrdiff_t>(filled), buffer.begin());
      filled -= used;
      if (error && error != http::error::need_more) refuse(url, error);
      if (parser.is_done() || (used > 0 && filled > 0 && !error)) continue;
      if (ended) return end(url, parser);
      if (filled == buffer.size()) refuse(url, http::error::header_limit);
      const std::size_t count = connection.read_some(buffer.data() + filled, buffer.size() - filled);
      ended = count == 0;
      if (ended && filled == 0) return end(url, parser);
      filled += count;
    }
  }

  static void end(const Url& url, ResponseParser& parser) {
    error_code error;
    if (parser.got_some()) parser.put_eof(error);
    if (error || !parser.is_done())
      throw HttpFailure(HttpFailure::Step::cut,
                        "host '" + url.authority() + "': connection cut: ended before the answer did");
  }

  [[noreturn]] static void refuse(const Url& url, const error_code& error) {
    throw Error(RH_SOURCE_REJECTED, url.shown() + ": the answer cannot be read: " + error.message());
  }

  std::unique_ptr<Connection> take(const Url& url) {
    const auto found = kept_.find(url.origin());
    if (found == kept_.end()) return nullptr;
    std::unique_ptr<Connection> connection = std::move(found->second);
    kept_.erase(found);
    return connection->usable() ? std::move(connection) : nullptr;
  }

  void put_back(const Url& url, std::unique_ptr<Connection> connection) {
    if (kept_.size() >= kMaximumKept) kept_.erase(kept_.begin());
    kept_[url.origin()] = std::move(connection);
  }

  const HttpOptions options_;
  TlsTrust trust_;
  std::map<std::string, std::unique_ptr<Connection>> kept_;  // by origin
};

HttpClient::HttpClient(HttpOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

HttpResponse HttpClient::fetch(const HttpRequest& request, std::uint64_t body_limit) {
  std::string body;
  HttpResponse response = implementation_->run(request, [&](HttpResponse& head) -> BodyCallback {
    const std::string shown = head.url.shown();
    const auto too_large = [shown, body_limit] {
      return Error(RH_SOURCE_REJECTED,
                   fmt::format("{}: the answer has more than {} bytes", shown, body_limit));
    };
    const bool sized = request.method != "HEAD" && head.content_length();
    if (sized && *head.content_length() > body_limit) throw too_large();
    return [&body, body_limit, too_large](std::string_view bytes) {
      if (bytes.size() > body_limit - body.size()) throw too_large();
      body += bytes;
    };
  });
  response.body = std::move(body);
  return response;
}

HttpResponse HttpClient::stream(const HttpRequest& request, const HttpSink& sink) {
  return implementation_->run(request, [&](HttpResponse& head) -> BodyCallback {
    return sink.head(head) ? sink.bytes : BodyCallback();
  });
}

}  // namespace roundhouse::host
