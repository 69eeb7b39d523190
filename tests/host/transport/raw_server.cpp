// SPDX-License-Identifier: Apache-2.0
#include "tests/host/transport/raw_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tuple>

#include "tests/host/sources/http_server.h"

namespace roundhouse::test {

RawServer::RawServer(std::vector<RawAnswer> answers) : answers_(std::move(answers)) {
  std::tie(listener_, port_) = listen_on_loopback();
  thread_ = std::thread([this] { serve(); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  for (const int connection : held_)
    ::close(connection);
}

void RawServer::serve() {
  for (const RawAnswer& answer : answers_) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    ++accepted_;
    const int on = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(connection, &byte, 1, 0) == 1)
      head += byte;
    for (const std::string& piece : answer.pieces) {
      if (::send(connection, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    }
    if (answer.hold) {
      held_.push_back(connection);
    } else {
      ::close(connection);
    }
  }
}

}  // namespace roundhouse::test
