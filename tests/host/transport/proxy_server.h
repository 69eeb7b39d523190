// SPDX-License-Identifier: Apache-2.0
// A proxy of one test, for plain requests and for tunnels.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace roundhouse::test {

// Every name leads to 127.0.0.1, at the port that was asked for. One connection at a time.
class ProxyServer {
 public:
  ProxyServer();
  ~ProxyServer();
  ProxyServer(const ProxyServer&) = delete;
  ProxyServer& operator=(const ProxyServer&) = delete;

  std::string login;    // "Basic ..." that it asks for; empty: none. Set before the first request
  std::string refusal;  // the whole answer in place of a tunnel
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> heads() const;  // of the requests that came

 private:
  void accept_all();
  void serve(int client);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace roundhouse::test
