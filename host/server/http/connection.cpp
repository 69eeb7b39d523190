// SPDX-License-Identifier: Apache-2.0
// The coroutine of a connection: read a request, let a handler answer it, write what it says, again.
#include "host/server/http/connection.h"

#include <fmt/format.h>
#include <netdb.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "host/server/http/admission.h"
#include "host/server/http/request_reader.h"

namespace roundhouse::host::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kAhead = std::size_t{64} << 10;  // of pipelined requests, read while one is answered
constexpr std::size_t kThrownAway = std::size_t{64} << 20;  // of what is beyond; who sends more is cut off
constexpr std::chrono::seconds kLinger{2};

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
      if (!co_await reader_.wait()) break;
      Request request;
      const RequestReader::Head head = co_await reader_.read_head(request);
      idle_since_.reset();
      request.remote = remote_;
      request.received = std::chrono::steady_clock::now();
      if (!head.complete && !head.error) break;
      Admission admission = head.error ? refuse(std::move(request), shared_, *head.error)
                                       : admit(std::move(request), shared_, reader_.content_length());
      if (!co_await exchange(std::move(admission), head.complete)) break;
    }
    error_code ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_both, ignored);
  }

  // One request from admission to the end of its answer. True when another may follow.
  Task<bool> exchange(Admission admission, bool head_read) {
    const bool streams = admission.route != nullptr && admission.route->options.streamed_body;
    if (head_read && admission.request.headers.find("Expect")) reader_.expect_continue();
    bool body_read = head_read && reader_.body_ends();
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
      co_await write_all(stream_,
                         "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
                         "Connection: close\r\n\r\n",
                         limits());
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
    setting.chunks = head_read && reader_.is_http_1_1();
    // Where such a request ends is not certain.
    const bool malformed =
        admission.refusal && (admission.refusal->status() == 400 || admission.refusal->status() == 501);
    setting.keep_alive = setting.chunks && reader_.keeps_alive() && !malformed;
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
    reader_.start_body();
    while (!reader_.body_ends()) {
      const RequestReader::Piece piece = co_await reader_.read_piece();
      if (piece.result == RequestReader::Read::gone) co_return false;
      if (piece.result == RequestReader::Read::damaged) {
        admission.refusal.emplace(400, RH_INVALID_ARGUMENT, piece.damage);
        break;
      }
      if (admission.request.body.size() + piece.bytes.size() > limit) {
        admission.refusal.emplace(413, RH_INVALID_ARGUMENT,
                                  fmt::format("the body is larger than {} bytes", limit));
        break;
      }
      admission.request.body += piece.bytes;
    }
    co_return true;
  }

  // Moves bytes between channel and socket until the answer is complete or nobody is left to read it.
  Task<void> attend(bool body_read) {
    const auto channel = channel_;
    if (body_read) watch();
    for (;;) {
      Channel::Work work = channel->take();
      if (!work.bytes.empty()) {
        const bool sent = co_await write_all(stream_, work.bytes, limits());
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
    RequestReader::Piece piece;
    while (piece.bytes.empty() && !reader_.body_ends()) {
      reader_.start_body();
      piece = co_await reader_.read_piece();
      if (piece.result == RequestReader::Read::damaged)
        channel.deliver(HttpError(400, RH_INVALID_ARGUMENT, piece.damage));
      if (piece.result == RequestReader::Read::gone) channel.gone();
      if (piece.result != RequestReader::Read::ok) co_return false;
    }
    const bool last = piece.bytes.empty();
    channel.deliver(std::move(piece.bytes));
    co_return last;
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
      overrun_ = overrun_ || reader_.ahead().size() >= kAhead;
      if (overrun_) trash.resize(kPiece);
      const asio::mutable_buffer into =
          overrun_ ? asio::buffer(trash) : asio::mutable_buffer(reader_.ahead().prepare(4096));
      const auto [code, size] = co_await stream_.socket().async_read_some(into, kResume);
      if (overrun_) thrown_away += size;
      if (!overrun_) reader_.ahead().commit(size);
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

  WireStream stream_;
  asio::steady_timer signal_;
  Shared& shared_;
  RequestReader reader_{stream_, shared_.options.limits};
  const std::function<void()> ended_;
  std::string remote_;
  std::shared_ptr<Channel> channel_;                            // of the request at work
  std::optional<Clock::time_point> idle_since_ = Clock::now();  // no head of a request has arrived
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
