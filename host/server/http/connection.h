// SPDX-License-Identifier: Apache-2.0
// One client's connection, from its first byte to its last. Everything here is for the thread of the sockets.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "host/server/http/server.h"
#include "host/server/http/worker_threads.h"

namespace boost::asio {
class io_context;
}

namespace roundhouse::host::http {

// What all connections of a server share.
struct Shared {
  const Router& router;
  ServerOptions options;
  std::atomic<bool> stopping{false};
  WorkerThreads threads;
  SharedAccess access{options.access};
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close_if_idle() = 0;
  // Since when it waits for the head of a request; none while one is at work.
  virtual std::optional<std::chrono::steady_clock::time_point> idle_since() const = 0;
  // Asks the request at work to end.
  virtual void cancel() = 0;
  // Closes at once.
  virtual void abort() = 0;
};

// Takes over an accepted socket (its descriptor, of the address family `family`). `ended` is called once,
// last of all.
std::shared_ptr<Connection> start_connection(boost::asio::io_context& io, int socket, int family,
                                             Shared& shared, std::function<void()> ended);

}  // namespace roundhouse::host::http
