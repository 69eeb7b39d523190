// SPDX-License-Identifier: Apache-2.0
// Listening, the set of connections, and the end of it all.
#include "host/server/http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "host/server/http/connection.h"
#include "host/server/http/http_error.h"

namespace roundhouse::host::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

constexpr auto kAccepted = asio::as_tuple(asio::use_awaitable);
// After a failed accept (no descriptors are left): some connection will have ended by then.
constexpr std::chrono::milliseconds kBreath{50};

}  // namespace

struct Server::State {
  explicit State(const Router& router, ServerOptions options)
      : shared{router, options, {false}, {options.limits.threads, options.limits.threads, options.rested}} {}

  Shared shared;
  asio::io_context io{1};
  std::vector<Listener> listeners;  // remove the files of their sockets at the end
  std::deque<Acceptor> acceptors;   // of the same order; for the thread of the sockets
  asio::executor_work_guard<asio::io_context::executor_type> busy{io.get_executor()};
  std::thread thread;

  // For the thread of the sockets; the count for all.
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections;
  std::uint64_t next = 0;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::size_t count = 0;

  // All places or none.
  void listen() {
    for (const ListenPlace& place : shared.options.places) {
      Listener listener(place);
      if (shared.options.access.port == 0) shared.options.access.port = listener.place().port;
      listeners.push_back(std::move(listener));
    }
    for (Listener& listener : listeners) {
      const asio::generic::stream_protocol protocol(listener.family(), 0);
      acceptors.emplace_back(io).assign(protocol, listener.release());
    }
    shared.access.set(shared.options.access);
  }

  asio::awaitable<void> accept(Acceptor& acceptor, int family) {
    asio::steady_timer breath(io);
    for (;;) {
      Socket socket(io);
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
        take(socket, family);
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

  static void refuse(Socket& socket) {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kAnswer), ignored);
    socket.shutdown(Socket::shutdown_both, ignored);
  }

  void take(Socket& socket, int family) {
    error_code code;
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
  try {
    state_->listen();
  } catch (...) {
    state_->listeners.clear();
    throw;
  }
  for (std::size_t i = 0; i < state_->acceptors.size(); ++i) {
    asio::co_spawn(state_->io, state_->accept(state_->acceptors[i], state_->listeners[i].family()),
                   asio::detached);
  }
  state_->thread = std::thread([this] { state_->io.run(); });
}

std::uint16_t Server::port() const {
  return state_->shared.options.access.port;
}

void Server::set_access(AccessPolicy access) {
  access.port = port();
  state_->shared.access.set(std::move(access));
}

std::vector<ListenPlace> Server::places() const {
  std::vector<ListenPlace> places;
  for (const Listener& listener : state_->listeners)
    places.push_back(listener.place());
  return places;
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
    for (Acceptor& acceptor : state.acceptors)
      acceptor.close(ignored);
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
  state.listeners.clear();
}

}  // namespace roundhouse::host::http
