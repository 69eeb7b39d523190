// SPDX-License-Identifier: Apache-2.0
// A server that sends what a test has written, as the test has cut it, whatever it was asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace roundhouse::test {

struct RawAnswer {
  std::vector<std::string> pieces;  // each sent by a call of its own
  bool hold = false;                // then keep the connection open and silent
};

// The n-th connection gets the n-th answer after its first request's head, and is then closed.
class RawServer {
 public:
  explicit RawServer(std::vector<RawAnswer> answers);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  unsigned connections() const { return accepted_; }

 private:
  void serve();

  const std::vector<RawAnswer> answers_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<unsigned> accepted_ = 0;
  std::vector<int> held_;
  std::thread thread_;
};

}  // namespace roundhouse::test
