// SPDX-License-Identifier: Apache-2.0
// A request as a handler sees it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roundhouse::host::http {

// Fields in the order they came; names are compared without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // The first of that name. The text lives as long as the headers do.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  // In place of all of that name.
  void replace(const std::string& name, std::string value);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The name of all peers at Unix sockets.
inline constexpr const char* kUnixPeer = "unix";

struct Request {
  std::string method;  // "GET"; HEAD arrives as itself at a route for GET
  std::string target;  // as sent
  std::string path;    // decoded, without the query
  std::string route;   // the pattern that matched: "/progress/{id}"; empty when none did
  std::map<std::string, std::string> parameters;  // of the pattern, decoded
  std::map<std::string, std::string> query;       // decoded; the last of a name
  Headers headers;
  std::string body;        // empty where the route streams its body
  std::string request_id;  // the client's X-Request-Id where that is sane, else one of ours
  std::string remote;      // "127.0.0.1:40312"; kUnixPeer
  std::string own_url;     // of this server, as the client reaches it: "https://studio.example"
  std::chrono::steady_clock::time_point received;
};

bool equal_without_case(std::string_view a, std::string_view b);
// Without the spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace roundhouse::host::http
