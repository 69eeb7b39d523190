// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server of one test: what it answers is a function, what it was asked is recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace roundhouse::test {

struct ServerRequest {
  std::string method, target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool whole = true;  // false: the client was cut off while it sent the body

  std::string get(const std::string& name) const;
  std::string path() const { return target.substr(0, target.find('?')); }
  // A parameter of the query, as it stands there; empty without.
  std::string query(const std::string& name) const;
};

struct ServerReply {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::size_t withheld = 0;  // of the body's end: promised by Content-Length, never sent
};

// Listens on a free port of 127.0.0.1, one thread a connection. The handler is called by one thread at a
// time.
class HttpServer {
 public:
  using Handler = std::function<ServerReply(const ServerRequest&)>;
  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<ServerRequest> requests() const;

 private:
  void accept_all();
  void serve(int connection);

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ServerRequest> requests_;
  std::vector<int> connections_;
  bool ending_ = false;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

// A listening socket on a free port of 127.0.0.1.
std::pair<int, std::uint16_t> listen_on_loopback();

}  // namespace roundhouse::test
