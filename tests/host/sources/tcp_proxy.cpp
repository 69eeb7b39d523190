// SPDX-License-Identifier: Apache-2.0
#include "tests/host/sources/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "tests/host/sources/http_server.h"

namespace roundhouse::test {
namespace {

int connect_to(std::uint16_t port) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return connection;
  ::close(connection);
  return -1;
}

}  // namespace

TcpProxy::TcpProxy(std::uint16_t server_port) {
  std::tie(listener_, port_) = listen_on_loopback();
  acceptor_ = std::thread([this, server_port] { accept_all(server_port); });
}

TcpProxy::~TcpProxy() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    cut_all();
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_)
    thread.join();
  ::close(listener_);
  for (const int socket : sockets_)
    ::close(socket);
}

std::uint64_t TcpProxy::passed(Direction direction) const {
  const std::scoped_lock lock(mutex_);
  return passed_[static_cast<int>(direction)];
}

void TcpProxy::reset() {
  const std::scoped_lock lock(mutex_);
  passed_[0] = passed_[1] = 0;
}

void TcpProxy::cut_after(Direction direction, std::uint64_t bytes, std::function<void()> then) {
  const std::scoped_lock lock(mutex_);
  cuts_[static_cast<int>(direction)] = {true, bytes, std::move(then)};
}

void TcpProxy::accept_all(std::uint16_t server_port) {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = connect_to(server_port);
    const std::scoped_lock lock(mutex_);
    sockets_.push_back(client);
    if (server >= 0) sockets_.push_back(server);
    if (ending_ || server < 0) {
      ::shutdown(client, SHUT_RDWR);
      continue;
    }
    threads_.emplace_back([=, this] { pump(client, server, Direction::up); });
    threads_.emplace_back([=, this] { pump(server, client, Direction::down); });
  }
}

void TcpProxy::pump(int from, int to, Direction direction) {
  char piece[16384];
  for (;;) {
    const ssize_t count = ::recv(from, piece, sizeof piece, 0);
    if (count <= 0) break;
    std::size_t left = admit(static_cast<std::size_t>(count), direction);
    for (const char* at = piece; left > 0;) {
      const ssize_t sent = ::send(to, at, left, MSG_NOSIGNAL);
      if (sent <= 0) break;
      at += sent;
      left -= static_cast<std::size_t>(sent);
    }
  }
  ::shutdown(to, SHUT_WR);
}

std::size_t TcpProxy::admit(std::size_t bytes, Direction direction) {
  const std::scoped_lock lock(mutex_);
  Cut& cut = cuts_[static_cast<int>(direction)];
  std::size_t admitted = bytes;
  if (cut.armed) {
    admitted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, cut.left));
    cut.left -= admitted;
    if (cut.left == 0) {
      cut.armed = false;
      if (cut.then) cut.then();
      cut_all();
    }
  }
  passed_[static_cast<int>(direction)] += admitted;
  return admitted;
}

void TcpProxy::cut_all() {
  for (const int socket : sockets_)
    ::shutdown(socket, SHUT_RDWR);
}

}  // namespace roundhouse::test
