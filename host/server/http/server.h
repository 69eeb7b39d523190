// SPDX-License-Identifier: Apache-2.0
// The HTTP server: one thread for all sockets, and threads for handlers that nothing on a socket waits for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "host/server/http/access.h"
#include "host/server/http/listen.h"
#include "host/server/http/router.h"

namespace roundhouse::host::http {

struct Limits {
  std::size_t header_bytes = std::size_t{16} << 10;  // request line and fields
  std::size_t connections = 1024;                    // more push out an idle one, or get 503
  std::size_t threads = 512;                         // requests in handlers at once; as many again may wait
  std::chrono::milliseconds header_time{10'000};     // from a request's first byte to the end of its head
  std::chrono::milliseconds body_time{60'000};       // for a whole body; for a piece of a streamed one
  std::chrono::milliseconds idle_time{75'000};       // between requests
  std::chrono::milliseconds write_time{30'000};      // for 64 KiB of an answer
};

// A request that was answered, or could not be.
struct Completed {
  const Request& request;
  int status = 0;
  std::uint64_t bytes = 0;  // of the answer, with its head
  double seconds = 0;       // since the request had arrived
  bool client_left = false;
  const Error* error = nullptr;  // that the handler threw, or why there was none
  const nlohmann::json& notes;
};

struct ServerOptions {
  std::vector<ListenPlace> places = {tcp_place("127.0.0.1", 0)};  // a port of 0 is any that is free
  std::string name;                                               // of the field Server: "roundhouse/1.0"
  Limits limits;
  AccessPolicy access;  // its port is the server's to set: that of the first address
  // What a client reads of the message of an error. On the thread of its handler.
  std::function<std::string(const std::string& message)> told = [](const std::string& message) {
    return message;
  };
  // After many requests at once, when there are none any more: memory may be given back. On some thread.
  std::function<void()> rested = [] {};
  // After every request, on the thread of its handler.
  std::function<void(const Completed&)> completed = [](const Completed&) {};
};

class Server {
 public:
  // `router` must outlive the server. Does nothing yet.
  Server(const Router& router, ServerOptions options);
  // As stop, without patience.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens and answers from now on. Throws what Listener throws; then it listens nowhere.
  void start();
  std::uint16_t port() const;               // of the first address; 0 where it listens on none
  std::vector<ListenPlace> places() const;  // with the ports that they have; after start
  std::size_t connections() const;

  // Of the requests that begin from now on; its port is the server's to set. Any thread.
  void set_access(AccessPolicy access);

  // Takes no more connections, lets running requests finish for `finish`, then cancels them, and after
  // `leave` more closes their connections. Returns when no handler runs any more.
  void stop(std::chrono::milliseconds finish, std::chrono::milliseconds leave);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roundhouse::host::http
