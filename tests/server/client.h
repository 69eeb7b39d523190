// SPDX-License-Identifier: Apache-2.0
// A client that may be slow, broken or rude: one connection to a server on this machine, byte by byte.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roundhouse::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  Fields fields;
  std::string body;
  bool whole = false;  // false: the connection ended before the body did

  std::optional<std::string> field(std::string_view name) const;
  nlohmann::json json() const { return nlohmann::json::parse(body); }
  // The lines of NDJSON.
  std::vector<nlohmann::json> lines() const;
};

class Client {
 public:
  // Throws std::runtime_error when nobody listens.
  explicit Client(std::uint16_t port);
  explicit Client(const std::string& unix_socket);  // its path
  ~Client();
  Client(Client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), read_(std::move(other.read_)) {}
  Client& operator=(Client&&) = delete;

  // As many bytes as the server takes; false when it takes no more.
  bool send(std::string_view bytes) const;
  // "METHOD path HTTP/1.1" with Host, Content-Length where there is a body, and `fields`.
  bool send_request(const std::string& method, const std::string& path, const std::string& body = "",
                    const Fields& fields = {}) const;
  // The next answer; status 0 when the connection ended, or nothing came for half a minute. `head`: it has no
  // body.
  Answer read_answer(bool head = false);
  Answer ask(const std::string& method, const std::string& path, const std::string& body = "",
             const Fields& fields = {});
  // The head only; what follows comes from read_line or read_rest.
  Answer read_head();
  // The next line of a body in chunks, without its end; none at the end of the body or the connection.
  std::optional<std::string> read_line();

  bool closed_within(std::chrono::milliseconds time);
  void shutdown_send() const;
  // Leaves; `rudely`: the server's bytes are refused (RST) instead of ignored.
  void close(bool rudely = false);

 private:
  bool fill();  // more into read_; false at the end
  std::string take(std::size_t count);
  bool take_line(std::string& line);
  bool next_chunk(std::string& body);

  int socket_ = -1;
  std::string read_;
  std::string lines_;  // of chunks, not yet given out
};

// A request and its answer on a connection of its own.
Answer ask(std::uint16_t port, const std::string& method, const std::string& path,
           const std::string& body = "", const Fields& fields = {});

// Polls until it is true; false after `time`.
template <typename Condition>
bool becomes_true(const Condition& condition,
                  std::chrono::milliseconds time = std::chrono::milliseconds(20'000));

}  // namespace roundhouse::test

#include <thread>

template <typename Condition>
bool roundhouse::test::becomes_true(const Condition& condition, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}
