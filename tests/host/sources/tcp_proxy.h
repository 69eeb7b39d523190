// SPDX-License-Identifier: Apache-2.0
// Stands between a client and a server, counts what passes, and cuts where a test wants it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace roundhouse::test {

class TcpProxy {
 public:
  enum class Direction { up, down };  // from the client, to the client

  explicit TcpProxy(std::uint16_t server_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Bytes that passed in that direction, over all connections, since the last reset.
  std::uint64_t passed(Direction direction) const;
  void reset();

  // Once so many further bytes have passed in that direction: calls `then`, and ends all connections. Later
  // ones pass again.
  void cut_after(Direction direction, std::uint64_t bytes, std::function<void()> then = {});

 private:
  struct Cut {
    bool armed = false;
    std::uint64_t left = 0;
    std::function<void()> then;
  };
  void accept_all(std::uint16_t server_port);
  void pump(int from, int to, Direction direction);
  // How many of the bytes may pass; fewer than asked when the cut is due.
  std::size_t admit(std::size_t bytes, Direction direction);
  void cut_all();

  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::uint64_t passed_[2] = {0, 0};
  Cut cuts_[2];
  std::vector<int> sockets_;
  bool ending_ = false;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace roundhouse::test
