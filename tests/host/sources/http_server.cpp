// SPDX-License-Identifier: Apache-2.0
#include "tests/host/sources/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace roundhouse::test {
namespace {

constexpr char kTlsHandshake = 0x16;  // not spoken here: the connection ends at once

// Reads from a connection; what came too early waits.
class Incoming {
 public:
  explicit Incoming(int connection) : connection_(connection) {}

  // Up to and without the separator; false at the end.
  bool until(const std::string& separator, std::string& text) {
    std::size_t at = 0;
    while ((at = buffer_.find(separator)) == std::string::npos) {
      if (!more()) return false;
    }
    text = buffer_.substr(0, at);
    buffer_.erase(0, at + separator.size());
    return true;
  }
  bool exactly(std::size_t count, std::string& text) {
    while (buffer_.size() < count && more()) {
    }
    const bool whole = buffer_.size() >= count;
    text = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return whole;
  }

 private:
  bool more() {
    char piece[65536];
    const ssize_t count = ::recv(connection_, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(count));
    return buffer_.front() != kTlsHandshake;
  }

  int connection_;
  std::string buffer_;
};

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool read_request(Incoming& incoming, ServerRequest& request) {
  std::string head;
  if (!incoming.until("\r\n\r\n", head)) return false;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> request.method >> request.target;
  while (std::getline(lines, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) request.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
  }
  const std::string length = request.get("content-length");
  if (!length.empty()) request.whole = incoming.exactly(std::stoull(length), request.body);
  return true;
}

std::string text_of(const ServerReply& reply, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
  bool sized = reply.status == 204;
  for (const auto& [name, value] : reply.headers) {
    text += name + ": " + value + "\r\n";
    sized = sized || lower(name) == "content-length";
  }
  if (!sized) text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  text += "\r\n";
  if (!head_only) text += reply.body.substr(0, reply.body.size() - reply.withheld);
  return text;
}

}  // namespace

std::string ServerRequest::get(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string ServerRequest::query(const std::string& name) const {
  const std::size_t begin = target.find('?');
  if (begin == std::string::npos) return "";
  std::istringstream parameters(target.substr(begin + 1));
  for (std::string parameter; std::getline(parameters, parameter, '&');) {
    if (parameter.starts_with(name + "=")) return parameter.substr(name.size() + 1);
  }
  return "";
}

std::pair<int, std::uint16_t> listen_on_loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 64) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port to listen on");
  return {listener, ntohs(address.sin_port)};
}

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  std::tie(listener_, port_) = listen_on_loopback();
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    for (const int connection : connections_)
      ::shutdown(connection, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_)
    thread.join();
  ::close(listener_);
  for (const int connection : connections_)
    ::close(connection);
}

std::vector<ServerRequest> HttpServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void HttpServer::accept_all() {
  for (;;) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::scoped_lock lock(mutex_);
    connections_.push_back(connection);
    if (ending_) return;
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void HttpServer::serve(int connection) {
  Incoming incoming(connection);
  for (;;) {
    ServerRequest request;
    if (!read_request(incoming, request)) break;
    ServerReply reply;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
      reply = handler_(request);
    }
    if (!request.whole || !send_all(connection, text_of(reply, request.method == "HEAD"))) break;
    if (reply.withheld > 0) break;
  }
  ::shutdown(connection, SHUT_RDWR);
}

}  // namespace roundhouse::test
