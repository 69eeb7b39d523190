// SPDX-License-Identifier: Apache-2.0
// Which handler answers a request, and in which dialect it fails. Built once, then only read: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/server/http/exchange.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host::http {

using Handler = std::function<void(Exchange&)>;

struct RouteOptions {
  std::uint64_t body_limit = std::uint64_t{1} << 20;  // bytes; more is 413
  bool streamed_body = false;                         // the handler reads it, of any size up to the limit
  bool open = false;                                  // needs no API key
};

struct Route {
  std::string method;   // upper case
  std::string pattern;  // "/progress/{id}"
  RouteOptions options;
  Handler handler;
};

// A family of routes with one shape of errors.
struct Dialect {
  std::string name;    // "native"
  std::string prefix;  // of its paths: "/v1/"; the longest that fits wins, also for paths without a route
  // The error as one line of JSON: the body of the answer, or the last line (NDJSON) or `data:` (events) of a
  // stream that had begun.
  std::function<std::string(const Request&, const Error&, int status)> failure;
  // The name of the event that carries it in a stream of events; empty: it has none.
  std::string failure_event = {};
};

struct RouteMatch {
  const Route* route = nullptr;  // null: see `allowed`
  std::map<std::string, std::string> parameters;
  std::vector<std::string> allowed;  // methods of this path; empty: no such path
};

class Router {
 public:
  // Segments of a pattern are literal, or `{name}` for one segment, or, last, `{name...}` for all that
  // follow. A route for GET answers HEAD too, unless there is one for HEAD. Throws INTERNAL for a pattern and
  // method that is there already.
  void add(const std::string& method, const std::string& pattern, const RouteOptions& options,
           Handler handler);
  void add(const Dialect& dialect);

  // `path` is the path as sent, not yet decoded. Of several patterns the one with more literal segments wins.
  RouteMatch find(const std::string& method, const std::string& path) const;
  const Dialect& dialect_of(const std::string& path) const;

  const std::vector<Route>& routes() const { return routes_; }
  const std::vector<Dialect>& dialects() const { return dialects_; }

 private:
  std::vector<Route> routes_;
  std::vector<Dialect> dialects_;
};

}  // namespace roundhouse::host::http
