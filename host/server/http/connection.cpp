// SPDX-License-Identifier: Apache-2.0
// The coroutine of a connection: read a request, let a handler answer it, write what it says, again.
#include "host/server/http/connection.h"

#include <fmt/format.h>
#include <netdb.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "host/server/http/admission.h"

namespace roundhouse::host::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;  // TCP or Unix
using Clock = std::chrono::steady_clock;
template <typename T>
using Task = asio::awaitable<T>;

constexpr auto kResume = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kAhead = std::size_t{64} << 10;  // of pipelined requests, read while one is answered
constexpr std::size_t kThrownAway = std::size_t{64} << 20;  // of what is beyond; who sends more is cut off
constexpr std::chrono::seconds kLinger{2};

// What is wrong with a head that Beast could not read; none where there is nobody to be told.
std::optional<HttpError> head_error(const error_code& code, const Limits& limits) {
  if (code == wire::error::header_limit || code == wire::error::buffer_overflow) {
    return HttpError(431, RH_INVALID_ARGUMENT,
                     fmt::format("the head of the request is larger than {} bytes", limits.header_bytes));
  }
  if (code == wire::error::bad_version) {
    return HttpError(505, RH_INVALID_ARGUMENT, "the version of HTTP is not known, expected 1.0 or 1.1");
  }
  if (code == wire::error::end_of_stream || code == wire::error::partial_message ||
      code.category() != make_error_code(wire::error::bad_method).category()) {
    return std::nullopt;
  }
  return HttpError(400, RH_INVALID_ARGUMENT, "the request is not HTTP: " + code.message());
}

// "127.0.0.1:40312", "[::1]:40312", "unix".
std::string remote_name(const Protocol::endpoint& peer) {
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
  if (peer.protocol().family() == AF_UNIX) return kUnixPeer;
  ::getnameinfo(peer.data(), static_cast<socklen_t>(peer.size()), host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
  const bool bare = peer.protocol().family() == AF_INET6;
  return fmt::format("{}{}{}:{}", bare ? "[" : "", host, bare ? "]" : "", port);
}

class BeastConnection final : public Connection, public std::enable_shared_from_this<BeastConnection> {
 public:
  BeastConnection(Protocol::socket socket, Shared& shared, std::function<void()> ended)
      : stream_(std::move(socket)),
        signal_(stream_.get_executor()),
        shared_(shared),
        ended_(std::move(ended)) {
    error_code ignored;
    remote_ = remote_name(stream_.socket().remote_endpoint(ignored));
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void run() {
    asio::co_spawn(
        stream_.get_executor(), [self = shared_from_this()] { return self->serve(); },
        [self = shared_from_this()](const std::exception_ptr&) {
          if (self->channel_) self->channel_->gone(), self->channel_->closed();
          self->abort();
          self->ended_();
        });
  }

  void close_if_idle() override {
    if (idle_since_) abort();
  }
  std::optional<Clock::time_point> idle_since() const override { return idle_since_; }
  void cancel() override {
    if (channel_) channel_->cancel();
    if (!channel_) abort();  // its request has not arrived
  }
  void abort() override {
    error_code ignored;
    idle_since_.reset();
    stream_.socket().close(ignored);
    if (channel_) channel_->gone();
    signal_.cancel();
  }

 private:
  const Limits& limits() const { return shared_.options.limits; }

  Task<void> serve() {
    while (!shared_.stopping) {
      idle_since_ = Clock::now();
      if (!co_await wait_for_request()) break;
      parser_.emplace();
      parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes));
      parser_->body_limit(boost::none);
      stream_.expires_after(limits().header_time);
      const auto [code, size] = co_await wire::async_read_header(stream_, buffer_, *parser_, kResume);
      idle_since_.reset();
      Request request;
      request.remote = remote_;
      request.received = std::chrono::steady_clock::now();
      std::optional<Admission> admission;
      if (code) {
        const std::optional<HttpError> error = head_error(code, limits());
        if (!error) break;
        admission = refuse(std::move(request), shared_, *error);
      } else {
        take_head(request);
        admission = admit(std::move(request), shared_, content_length());
      }
      if (!co_await exchange(std::move(*admission), !code)) break;
    }
    error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
  }

  // Until the first byte of the next request. False: there will be none.
  Task<bool> wait_for_request() {
    if (buffer_.size() > 0) co_return true;
    stream_.expires_after(limits().idle_time);
    const auto [code, size] = co_await stream_.async_read_some(buffer_.prepare(4096), kResume);
    buffer_.commit(size);
    co_return !code;
  }

  void take_head(Request& request) const {
    const auto& message = parser_->get();
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message)
      request.headers.add(std::string(field.name_string()), std::string(field.value()));
    // A client of that version names no host where it means this one.
    if (message.version() < 11 && request.headers.count("Host") == 0)
      request.headers.add("Host", "localhost");
  }

  std::optional<std::uint64_t> content_length() const {
    const auto length = parser_->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
  }

  // One request from admission to the end of its answer. True when another may follow.
  Task<bool> exchange(Admission admission, bool head_read) {
    const bool streams = admission.route != nullptr && admission.route->options.streamed_body;
    awaits_continue_ = head_read && admission.request.headers.find("Expect").has_value();
    bool body_read = head_read && parser_->is_done();
    if (admission.route != nullptr && !admission.refusal && !streams && !body_read) {
      if (!co_await read_whole_body(admission)) co_return false;
      body_read = !admission.refusal;
    }
    channel_ = make_channel(admission, head_read, body_read);
    const auto channel = channel_;
    const bool taken = shared_.threads.submit(
        [channel, shared = &shared_, held = std::make_shared<const Admission>(std::move(admission))] {
          answer(*channel, *held, *shared);
        });
    if (!taken) {
      channel_ = nullptr;
      co_await write(
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
          "Connection: close\r\n\r\n");
      co_return false;
    }
    co_await attend(body_read);
    const bool keeps = channel->keeps_connection() && !overrun_;
    channel_ = nullptr;
    channel->closed();
    if (!keeps && !channel->client_left() && !shared_.stopping) co_await linger();
    co_return keeps;
  }

  std::shared_ptr<Channel> make_channel(const Admission& admission, bool head_read, bool body_read) {
    Channel::Setting setting;
    setting.dialect = admission.dialect;
    setting.chunks = head_read && parser_->get().version() >= 11;
    // Where such a request ends is not certain.
    const bool malformed =
        admission.refusal && (admission.refusal->status() == 400 || admission.refusal->status() == 501);
    setting.keep_alive = setting.chunks && parser_->keep_alive() && !malformed;
    setting.body_pending = !body_read;
    setting.body_limit = admission.route != nullptr ? admission.route->options.body_limit : 0;
    setting.fields = admission.fields;
    setting.stopping = [shared = &shared_, weak = weak_from_this()] {
      const auto self = weak.lock();
      return shared->stopping || self == nullptr || self->overrun_;
    };
    setting.told = shared_.options.told;
    setting.wake = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        asio::post(self->stream_.get_executor(), [self] { self->signal_.cancel(); });
      }
    };
    return std::make_shared<Channel>(admission.request, std::move(setting));
  }

  // False when the client is gone. Too large or too slow a body becomes the refusal.
  Task<bool> read_whole_body(Admission& admission) {
    const std::uint64_t limit = admission.route->options.body_limit;
    stream_.expires_after(limits().body_time);
    while (!parser_->is_done()) {
      std::string piece;
      const error_code code = co_await read_piece(piece);
      if (code && !is_bad_body(code)) co_return false;
      if (code) {
        admission.refusal.emplace(400, RH_INVALID_ARGUMENT, "the body is damaged: " + code.message());
        break;
      }
      if (admission.request.body.size() + piece.size() > limit) {
        admission.refusal.emplace(413, RH_INVALID_ARGUMENT,
                                  fmt::format("the body is larger than {} bytes", limit));
        break;
      }
      admission.request.body += piece;
    }
    co_return true;
  }

  static bool is_bad_body(const error_code& code) {
    return code.category() == make_error_code(wire::error::bad_chunk).category() &&
           code != wire::error::end_of_stream && code != wire::error::partial_message;
  }

  Task<error_code> read_piece(std::string& piece) {
    if (awaits_continue_) {
      awaits_continue_ = false;
      if (!co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return asio::error::broken_pipe;
      stream_.expires_after(limits().body_time);
    }
    piece.resize(kPiece);
    auto& body = parser_->get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    const auto [code, size] = co_await wire::async_read_some(stream_, buffer_, *parser_, kResume);
    piece.resize(piece.size() - body.size);
    co_return code == wire::error::need_buffer ? error_code{} : code;
  }

  // Moves bytes between channel and socket until the answer is complete or nobody is left to read it.
  Task<void> attend(bool body_read) {
    const auto channel = channel_;
    if (body_read) watch();
    for (;;) {
      Channel::Work work = channel->take();
      if (!work.bytes.empty()) {
        const bool sent = co_await write(work.bytes);
        if (sent) channel->written(work.bytes.size());
        if (!sent) channel->gone();
        continue;
      }
      if (work.finished) break;
      if (work.wants_body && !body_read) {
        body_read = co_await deliver_piece(*channel);
        if (body_read) watch();
        continue;
      }
      signal_.expires_at(asio::steady_timer::time_point::max());
      co_await signal_.async_wait(kResume);
    }
    co_await end_watch();
  }

  // True when it was the last, the empty one.
  Task<bool> deliver_piece(Channel& channel) {
    std::string piece;
    while (piece.empty() && !parser_->is_done()) {
      stream_.expires_after(limits().body_time);
      const error_code code = co_await read_piece(piece);
      if (code && is_bad_body(code)) {
        channel.deliver(HttpError(400, RH_INVALID_ARGUMENT, "the body is damaged: " + code.message()));
        co_return false;
      }
      if (code) {
        channel.gone();
        co_return false;
      }
    }
    const bool last = piece.empty();
    channel.deliver(std::move(piece));
    co_return last;
  }

  Task<bool> write(std::string_view bytes) {
    while (!bytes.empty()) {
      stream_.expires_after(limits().write_time);
      const auto [code, size] =
          co_await asio::async_write(stream_, asio::buffer(bytes.substr(0, kPiece)), kResume);
      if (code) co_return false;
      bytes.remove_prefix(size);
    }
    co_return true;
  }

  // Notices the client's leaving while a handler works, and keeps what it sends meanwhile for the next turn.
  void watch() {
    watching_ = true;
    end_watch_ = false;
    asio::co_spawn(stream_.get_executor(), read_ahead(),  // which the handler of its end keeps alive
                   [self = shared_from_this()](const std::exception_ptr&) {
                     self->watching_ = false;
                     self->signal_.cancel();
                   });
  }

  // Beyond kAhead it reads on without keeping anything: only so is the client's end seen. The connection then
  // ends with the answer at work.
  Task<void> read_ahead() {
    std::string trash;
    std::size_t thrown_away = 0;
    while (!end_watch_) {
      overrun_ = overrun_ || buffer_.size() >= kAhead;
      if (overrun_) trash.resize(kPiece);
      const asio::mutable_buffer into =
          overrun_ ? asio::buffer(trash) : asio::mutable_buffer(buffer_.prepare(4096));
      const auto [code, size] = co_await stream_.socket().async_read_some(into, kResume);
      if (overrun_) thrown_away += size;
      if (!overrun_) buffer_.commit(size);
      if (end_watch_) co_return;
      if (code || thrown_away > kThrownAway) {
        if (channel_) channel_->left();
        if (!code) abort();
        co_return;
      }
    }
  }

  Task<void> end_watch() {
    end_watch_ = true;
    error_code ignored;
    if (watching_) stream_.socket().cancel(ignored);
    while (watching_) {
      signal_.expires_at(asio::steady_timer::time_point::max());
      co_await signal_.async_wait(kResume);
    }
  }

  // A closed socket with unread bytes tells the client to forget the answer: read them for a while.
  Task<void> linger() {
    error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
    stream_.expires_after(kLinger);
    std::string trash(kPiece, '\0');
    for (int i = 0; i < 1024; ++i) {
      const auto [code, size] = co_await stream_.async_read_some(asio::buffer(trash), kResume);
      if (code) break;
    }
  }

  beast::basic_stream<Protocol> stream_;
  beast::flat_buffer buffer_{std::size_t{512} << 10};
  asio::steady_timer signal_;
  std::optional<wire::request_parser<wire::buffer_body>> parser_;
  Shared& shared_;
  const std::function<void()> ended_;
  std::string remote_;
  std::shared_ptr<Channel> channel_;                            // of the request at work
  std::optional<Clock::time_point> idle_since_ = Clock::now();  // no head of a request has arrived
  bool awaits_continue_ = false;
  bool watching_ = false, end_watch_ = false;
  std::atomic<bool> overrun_ = false;  // the client sent more ahead than is kept
};

}  // namespace

std::shared_ptr<Connection> start_connection(asio::io_context& io, int socket, int family, Shared& shared,
                                             std::function<void()> ended) {
  auto connection = std::make_shared<BeastConnection>(Protocol::socket(io, Protocol(family, 0), socket),
                                                      shared, std::move(ended));
  connection->run();
  return connection;
}

}  // namespace roundhouse::host::http
