// SPDX-License-Identifier: Apache-2.0
#include "tests/host/transport/proxy_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/host/sources/http_server.h"

namespace roundhouse::test {
namespace {

void send_whole(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string read_head(int from) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && ::recv(from, &byte, 1, 0) == 1)
    head += byte;
  return head;
}

int connect_to(std::uint16_t port) {
  const int upstream = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(upstream, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return upstream;
}

// Both ways, until one side has ended.
void relay(int a, int b) {
  std::array<char, 4096> piece{};
  for (;;) {
    std::array<pollfd, 2> ends = {{{a, POLLIN, 0}, {b, POLLIN, 0}}};
    ::poll(ends.data(), ends.size(), 5000);
    for (std::size_t i = 0; i < 2; ++i) {
      if (ends[i].revents == 0) continue;
      const ssize_t count = ::recv(ends[i].fd, piece.data(), piece.size(), 0);
      if (count <= 0) return;
      send_whole(ends[1 - i].fd, {piece.data(), static_cast<std::size_t>(count)});
    }
    if (ends[0].revents == 0 && ends[1].revents == 0) return;
  }
}

}  // namespace

ProxyServer::ProxyServer() {
  std::tie(listener_, port_) = listen_on_loopback();
  thread_ = std::thread([this] { accept_all(); });
}

ProxyServer::~ProxyServer() {
  ending_ = true;
  ::close(connect_to(port_));
  thread_.join();
  ::close(listener_);
}

std::vector<std::string> ProxyServer::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void ProxyServer::accept_all() {
  while (!ending_) {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    if (!ending_) serve(client);
    ::close(client);
  }
}

void ProxyServer::serve(int client) {
  std::string head = read_head(client);
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  if (!login.empty() && head.find("Proxy-Authorization: " + login + "\r\n") == std::string::npos)
    return send_whole(client, "HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n");
  if (!refusal.empty()) return send_whole(client, refusal);
  const bool tunnel = head.starts_with("CONNECT ");
  const std::size_t host = tunnel ? 8 : head.find("://") + 3;
  const std::size_t end = head.find_first_of("/ ", host);
  const std::string authority = head.substr(host, end - host);
  const int upstream =
      connect_to(static_cast<std::uint16_t>(std::stoi(authority.substr(authority.rfind(':') + 1))));
  if (tunnel) {
    send_whole(client, "HTTP/1.1 200 Connection established\r\n\r\n");
  } else {
    send_whole(upstream, head.substr(0, head.find(' ') + 1) + head.substr(end));
  }
  relay(client, upstream);
  ::close(upstream);
}

}  // namespace roundhouse::test
