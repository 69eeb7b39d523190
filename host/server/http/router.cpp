// SPDX-License-Identifier: Apache-2.0
// Patterns against paths.
#include "host/server/http/router.h"

#include <algorithm>
#include <optional>

#include "host/server/http/http_error.h"
#include "host/server/http/target.h"

namespace roundhouse::host::http {
namespace {

std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> segments;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

struct Fit {
  std::size_t literals = 0;
  std::map<std::string, std::string> parameters;
};

// All of `path` from segment `at` on, joined again.
std::string rest_of(const std::vector<std::string>& path, std::size_t at) {
  std::string rest;
  for (std::size_t i = at; i < path.size(); ++i)
    rest += (i == at ? "" : "/") + path[i];
  return rest;
}

std::optional<Fit> fit(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  Fit result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i >= path.size()) return std::nullopt;
    if (!is_parameter(pattern[i])) {
      if (percent_decoded(path[i]) != pattern[i]) return std::nullopt;
      ++result.literals;
      continue;
    }
    const bool rest = pattern[i].ends_with("...}");
    const std::string name = pattern[i].substr(1, pattern[i].size() - (rest ? 5 : 2));
    const auto value = percent_decoded(rest ? rest_of(path, i) : path[i]);
    if (!value || value->empty()) return std::nullopt;
    result.parameters[name] = *value;
    if (rest) return result;
  }
  if (path.size() != pattern.size()) return std::nullopt;
  return result;
}

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

}  // namespace

int status_of(const Error& error) {
  const auto* http = dynamic_cast<const HttpError*>(&error);
  return http != nullptr ? http->status() : http_status(error.code());
}

void Router::add(const std::string& method, const std::string& pattern, const RouteOptions& options,
                 Handler handler) {
  for (const Route& route : routes_) {
    if (route.method == method && route.pattern == pattern) {
      throw Error(RH_INTERNAL, "route " + method + " " + pattern + " is there twice");
    }
  }
  routes_.push_back({method, pattern, options, std::move(handler)});
}

void Router::add(const Dialect& dialect) {
  dialects_.push_back(dialect);
}

RouteMatch Router::find(const std::string& method, const std::string& path) const {
  RouteMatch match;
  const std::vector<std::string> segments = segments_of(path);
  std::size_t best = 0;
  bool exact = false;  // the method itself, not GET in place of HEAD
  for (const Route& route : routes_) {
    auto found = fit(segments_of(route.pattern), segments);
    if (!found) continue;
    add_once(match.allowed, route.method);
    if (route.method == "GET") add_once(match.allowed, "HEAD");
    const bool same = route.method == method;
    if (!same && !(method == "HEAD" && route.method == "GET")) continue;
    if (match.route != nullptr && (found->literals < best || (found->literals == best && exact))) continue;
    match.route = &route;
    match.parameters = std::move(found->parameters);
    best = found->literals;
    exact = same;
  }
  if (!match.allowed.empty()) add_once(match.allowed, "OPTIONS");
  return match;
}

const Dialect& Router::dialect_of(const std::string& path) const {
  const Dialect* best = nullptr;
  for (const Dialect& dialect : dialects_) {
    const bool fits = path.starts_with(dialect.prefix) || path + "/" == dialect.prefix;
    if (fits && (best == nullptr || dialect.prefix.size() > best->prefix.size())) best = &dialect;
  }
  if (best == nullptr) {
    static const Dialect plain{"plain", "", [](const Request&, const Error& error, int) {
                                 // A router without dialects is a mistake that should still be readable.
                                 return R"({"error":")" + std::string(status_name(error.code())) + R"("})";
                               }};
    return plain;
  }
  return *best;
}

}  // namespace roundhouse::host::http
