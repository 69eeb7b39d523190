// SPDX-License-Identifier: Apache-2.0
// Listening, the set of connections, and the end of it all.
#include "host/server/http/server.h"

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "host/log/reason.h"
#include "host/server/http/connection.h"
#include "host/server/http/http_error.h"

namespace roundhouse::host::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr auto kAccepted = asio::as_tuple(asio::use_awaitable);
// After a failed accept (no descriptors are left): some connection will have ended by then.
constexpr std::chrono::milliseconds kBreath{50};

}  // namespace

struct Server::State {
  explicit State(const Router& router, ServerOptions options)
      : shared{router, std::move(options), {false}, {options.limits.threads, options.limits.threads}},
        acceptor(io) {}

  Shared shared;
  asio::io_context io{1};
  Tcp::acceptor acceptor;
  asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
  std::thread thread;

  // For the thread of the sockets; the count for all.
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections;
  std::uint64_t next = 0;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::size_t count = 0;

  void listen() {
    error_code code;
    const auto address = asio::ip::make_address(shared.options.address, code);
    if (code) {
      throw Error(RH_INVALID_ARGUMENT, "host: '" + shared.options.address +
                                           "' is not an address, expected one like 127.0.0.1 or ::1");
    }
    const Tcp::endpoint endpoint(address, shared.options.port);
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.set_option(Tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (!code) shared.options.access.port = acceptor.local_endpoint(code).port();
    if (!code) shared.access.set(shared.options.access);
    if (!code) return;
    const std::string where = fmt::format("{} port {}", shared.options.address, shared.options.port);
    if (code == asio::error::address_in_use) {
      throw Error(RH_IO_ERROR, where + " is in use already",
                  "another program, perhaps another 'roundhouse serve', listens there: end it, or choose "
                  "another --port");
    }
    throw Error(RH_IO_ERROR, where + " cannot be listened on: " + reason(code.value()));
  }

  asio::awaitable<void> accept() {
    asio::steady_timer breath(io);
    for (;;) {
      Tcp::socket socket(io);
      const auto [code] = co_await acceptor.async_accept(socket, kAccepted);
      if (shared.stopping || code == asio::error::operation_aborted) co_return;
      if (code) {
        breath.expires_after(kBreath);
        co_await breath.async_wait(kAccepted);
        continue;
      }
      if (connections.size() >= shared.options.limits.connections && !drop_longest_idle()) {
        refuse(socket);
      } else {
        take(socket);
      }
    }
  }

  // Who only holds connections must not shut others out. False where all are at work.
  bool drop_longest_idle() {
    std::shared_ptr<Connection> longest;
    for (const auto& [number, connection] : connections) {
      const auto since = connection->idle_since();
      if (since && (longest == nullptr || *since < *longest->idle_since())) longest = connection;
    }
    if (longest != nullptr) longest->abort();
    return longest != nullptr;
  }

  static void refuse(Tcp::socket& socket) {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kAnswer), ignored);
    socket.shutdown(Tcp::socket::shutdown_both, ignored);
  }

  void take(Tcp::socket& socket) {
    error_code code;
    const int family = acceptor.local_endpoint(code).protocol().family();
    const int descriptor = socket.release(code);
    if (code) return;
    const std::uint64_t number = next++;
    connections[number] = start_connection(io, descriptor, family, shared, [this, number] {
      connections.erase(number);
      recount();
    });
    recount();
  }

  void recount() {
    const std::lock_guard lock(mutex);
    count = connections.size();
    changed.notify_all();
  }

  template <typename Act>
  void for_all(const Act& act) {
    asio::post(io, [this, act] {
      const auto all = connections;  // acting may end some
      for (const auto& [number, connection] : all)
        act(*connection);
    });
  }

  bool none_within(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, time, [&] { return count == 0; });
  }
};

Server::Server(const Router& router, ServerOptions options)
    : state_(std::make_unique<State>(router, std::move(options))) {
}

Server::~Server() {
  stop(std::chrono::milliseconds(0), std::chrono::milliseconds(0));
}

void Server::start() {
  state_->listen();
  asio::co_spawn(state_->io, state_->accept(), asio::detached);
  state_->thread = std::thread([this] { state_->io.run(); });
}

std::uint16_t Server::port() const {
  return state_->shared.options.access.port;
}

void Server::set_access(AccessPolicy access) {
  access.port = port();
  state_->shared.access.set(std::move(access));
}

std::size_t Server::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->count;
}

void Server::stop(std::chrono::milliseconds finish, std::chrono::milliseconds leave) {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  state.shared.stopping = true;
  asio::post(state.io, [&state] {
    error_code ignored;
    state.acceptor.close(ignored);
  });
  state.for_all([](Connection& connection) { connection.close_if_idle(); });
  if (!state.none_within(finish)) {
    state.for_all([](Connection& connection) { connection.cancel(); });
    if (!state.none_within(leave)) {
      state.for_all([](Connection& connection) { connection.abort(); });
      // Handlers were told to end; those that listen do.
      std::unique_lock lock(state.mutex);
      state.changed.wait(lock, [&] { return state.count == 0; });
    }
  }
  state.busy.reset();
  state.thread.join();
}

}  // namespace roundhouse::host::http
