// SPDX-License-Identifier: Apache-2.0
// Sockets, and HTTP read just well enough to see what came.
#include "tests/server/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "host/server/http/message.h"

namespace roundhouse::test {
namespace {

constexpr int kPatience = 30'000;  // milliseconds

}  // namespace

std::optional<std::string> Answer::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (host::http::equal_without_case(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<nlohmann::json> Answer::lines() const {
  std::vector<nlohmann::json> all;
  std::istringstream stream(body);
  for (std::string line; std::getline(stream, line);)
    all.push_back(nlohmann::json::parse(line));
  return all;
}

Client::Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
  }
}

Client::Client(const std::string& unix_socket) : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, unix_socket.data(),
              std::min(unix_socket.size(), sizeof address.sun_path - 1));
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("nobody listens at " + unix_socket);
  }
}

Client::~Client() {
  close();
}

bool Client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Client::send_request(const std::string& method, const std::string& path, const std::string& body,
                          const Fields& fields) const {
  std::string text = method + " " + path + " HTTP/1.1\r\n";
  const Answer given{0, fields, "", true};
  if (!given.field("Host")) text += "Host: localhost\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : fields)
    text += name + ": " + value + "\r\n";
  return send(text + "\r\n" + body);
}

bool Client::fill() {
  pollfd waiting{socket_, POLLIN, 0};
  if (poll(&waiting, 1, kPatience) <= 0) return false;
  char bytes[65536];
  const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  read_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::string Client::take(std::size_t count) {
  while (read_.size() < count && fill()) {
  }
  std::string taken = read_.substr(0, count);
  read_.erase(0, taken.size());
  return taken;
}

bool Client::take_line(std::string& line) {
  std::size_t end = 0;
  while ((end = read_.find("\r\n")) == std::string::npos) {
    if (!fill()) return false;
  }
  line = take(end);
  take(2);
  return true;
}

bool Client::next_chunk(std::string& body) {
  std::string line;
  if (!take_line(line)) return false;
  const std::size_t size = std::stoul(line, nullptr, 16);
  const std::string piece = take(size);
  body += piece;
  return take_line(line) && piece.size() == size && size > 0;
}

Answer Client::read_head() {
  Answer answer;
  std::string line;
  if (!take_line(line)) return answer;
  answer.status = line.size() > 12 ? std::stoi(line.substr(9, 3)) : 0;
  while (take_line(line) && !line.empty()) {
    const std::size_t colon = line.find(": ");
    answer.fields.emplace_back(line.substr(0, colon),
                               colon == std::string::npos ? "" : line.substr(colon + 2));
  }
  return answer;
}

Answer Client::read_answer(bool head) {
  Answer answer = read_head();
  if (answer.status == 100) answer = read_head();
  answer.whole = answer.status != 0;
  if (!answer.whole || head || answer.status == 204) return answer;
  if (const auto length = answer.field("Content-Length")) {
    answer.body = take(std::stoul(*length));
    answer.whole = answer.body.size() == std::stoul(*length);
  } else if (answer.field("Transfer-Encoding")) {
    std::size_t before = 0;
    do {
      before = answer.body.size();
    } while (next_chunk(answer.body));
    answer.whole = answer.body.size() == before;
  } else {
    while (fill()) {
    }
    answer.body = std::exchange(read_, "");
  }
  return answer;
}

Answer Client::ask(const std::string& method, const std::string& path, const std::string& body,
                   const Fields& fields) {
  send_request(method, path, body, fields);
  return read_answer(method == "HEAD");
}

std::optional<std::string> Client::read_line() {
  std::size_t end = 0;
  while ((end = lines_.find('\n')) == std::string::npos) {
    if (!next_chunk(lines_)) return std::nullopt;
  }
  std::string line = lines_.substr(0, end);
  lines_.erase(0, end + 1);
  return line;
}

bool Client::closed_within(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
    char bytes[4096];
    if (recv(socket_, bytes, sizeof bytes, 0) <= 0) return true;
  }
}

void Client::shutdown_send() const {
  shutdown(socket_, SHUT_WR);
}

void Client::close(bool rudely) {
  if (socket_ < 0) return;
  if (rudely) {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::close(std::exchange(socket_, -1));
}

Answer ask(std::uint16_t port, const std::string& method, const std::string& path, const std::string& body,
           const Fields& fields) {
  Client client(port);
  return client.ask(method, path, body, fields);
}

}  // namespace roundhouse::test
