// SPDX-License-Identifier: Apache-2.0
// Requests and responses of HTTP/1.1 as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/transport/proxy.h"
#include "host/transport/url.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Header fields in order; names compare without regard to case.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields);

  // The first field of that name, or null. Valid until the headers change.
  const std::string* find(std::string_view name) const;
  std::string get(std::string_view name) const;  // empty where there is none
  std::vector<std::string> all(std::string_view name) const;
  // Replaces all fields of that name.
  void set(const std::string& name, const std::string& value);
  void add(const std::string& name, const std::string& value);
  void remove(std::string_view name);

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Bytes of a file that are sent as they are read, without holding them in memory.
struct FileRange {
  std::filesystem::path path;
  std::uint64_t offset = 0, size = 0;  // bytes
};

struct HttpRequest {
  std::string method = "GET";
  Url url;
  HttpHeaders headers = {};  // without Host, Content-Length and Authorization, which are made from the rest
  std::string body = {};
  std::optional<FileRange> file = {};  // the body, in place of `body`
  // The value of the Authorization header: "Bearer ...". Goes to the origin of `url` and to no other,
  // wherever the server redirects to.
  std::optional<std::string> authorization = {};
  // Gets how many bytes of the body were handed to the system so far; may throw to end the request.
  std::function<void(std::uint64_t)> sent = {};
};

struct HttpResponse {
  unsigned status = 0;
  HttpHeaders headers;
  Url url;  // that answered, after redirects
  std::string body;

  // The body's size where the server has said it.
  std::optional<std::uint64_t> content_length() const;
};

// Where a body goes as it arrives.
struct HttpSink {
  // Called once for the response that is no redirect, before its body. Returns whether the body goes to
  // `bytes`; else up to 64 KiB of it are put into HttpResponse::body, as suits the text of an error. May
  // throw, as `bytes` may; that ends the request.
  std::function<bool(const HttpResponse&)> head;
  std::function<void(std::string_view)> bytes;
};

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{15'000};  // name, connection and TLS together, for each address
  std::chrono::milliseconds silence_timeout{60'000};  // without one byte of progress
  unsigned max_redirects = 10;
  // Plain http to any host; without it only to loopback names and addresses.
  bool allow_plain_http = false;
  // The path of a Unix socket to connect to, whatever host the URL names; empty: to that host.
  std::string unix_socket = {};
  // Certificates (PEM) to trust in place of the system's, which are those of SSL_CERT_FILE and SSL_CERT_DIR
  // where these are set.
  std::string ca_file = {};
  std::string user_agent = "roundhouse";
  ProxyRules proxies = {};
  // Asked at least ten times a second while waiting; true ends the request with CANCELLED. May be empty.
  std::function<bool()> cancelled = {};
};

// SOURCE_UNREACHABLE with the step that failed, so that a caller can tell what is worth another try.
class HttpFailure : public Error {
 public:
  enum class Step {
    name,     // no address for the host
    connect,  // refused, unreachable, or silent
    tls,      // no agreement, or a certificate that is not trusted
    silence,  // nothing for as long as silence_timeout
    cut       // the connection ended before the response did
  };
  HttpFailure(Step step, const std::string& message, std::string hint = {})
      : Error(RH_SOURCE_UNREACHABLE, message, std::move(hint)), step_(step) {}
  Step step() const { return step_; }

 private:
  Step step_;
};

}  // namespace roundhouse::host
