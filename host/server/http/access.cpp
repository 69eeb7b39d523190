// SPDX-License-Identifier: Apache-2.0
// Host, Origin and keys.
#include "host/server/http/access.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/server/http/own_address.h"
#include "host/text/letters.h"

namespace roundhouse::host::http {
namespace {

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_ip_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
  }
  return is_ipv4(std::string(host));
}

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& entry) { return equal_without_case(entry, name); });
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

// "X-Thing, Authorization" where every name is a token, else nothing: it goes back into a field.
bool is_token_list(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
}

}  // namespace

bool is_loopback_name(std::string_view host) {
  const std::string name = lowered(host);
  if (name == "localhost" || name.ends_with(".localhost") || name == "[::1]") return true;
  return name.starts_with("127.") && is_ipv4(name);
}

std::string host_name_of(std::string_view text) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return "";
    ++end;
  }
  const std::string_view port = end < text.size() ? text.substr(end) : std::string_view{};
  const bool sane = port.empty() ||
                    (port.front() == ':' && port.size() <= 6 &&
                     std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (!sane) return "";
  std::string name(text.substr(0, end));
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

bool is_own_name(const std::string& name, const AccessPolicy& policy) {
  // Rebinding needs a name: who writes an address knows whom he asks.
  return is_loopback_name(name) || listed(policy.allowed_hosts, name) ||
         (policy.remote && is_ip_address(name));
}

void check_host(const Request& request, const AccessPolicy& policy) {
  if (request.headers.count("Host") != 1) {
    throw HttpError(400, RH_INVALID_ARGUMENT,
                    fmt::format("the request has {} Host fields, expected 1", request.headers.count("Host")));
  }
  const std::string name = host_name_of(*request.headers.find("Host"));
  if (is_own_name(name, policy)) return;
  throw HttpError(403, RH_INVALID_ARGUMENT, "host '" + name + "' is not a name of this server",
                  "add it with --allow-host if this server shall answer to it");
}

bool origin_allowed(std::string_view origin, const Request& request, const AccessPolicy& policy) {
  if (listed(policy.allowed_origins, "*") || listed(policy.allowed_origins, origin)) return true;
  if (equal_without_case(origin, own_address(request, policy).origin())) return true;
  constexpr std::string_view kScheme = "http://";
  if (!origin.starts_with(kScheme)) return false;
  const std::string_view host = origin.substr(kScheme.size());
  if (equal_without_case(host, request.headers.find("Host").value_or(""))) return true;
  const std::string name = host_name_of(host);
  return is_loopback_name(name) && lowered(host) == fmt::format("{}:{}", lowered(name), policy.port);
}

void check_origin(const Request& request, const AccessPolicy& policy) {
  const std::size_t count = request.headers.count("Origin");
  if (count > 1) {
    throw HttpError(400, RH_INVALID_ARGUMENT,
                    fmt::format("the request has {} Origin fields, expected at most 1", count));
  }
  const auto origin = request.headers.find("Origin");
  if (!origin || origin_allowed(*origin, request, policy)) return;
  throw HttpError(403, RH_INVALID_ARGUMENT, "origin '" + std::string(*origin) + "' may not use this server",
                  "add it with --allow-origin if its pages shall use this server");
}

void check_key(const Request& request, const AccessPolicy& policy) {
  if (policy.api_keys.empty()) return;
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view given = request.headers.find("X-Api-Key").value_or("");
  const std::string_view authorization = request.headers.find("Authorization").value_or("");
  if (authorization.size() > kBearer.size() &&
      equal_without_case(authorization.substr(0, kBearer.size()), kBearer)) {
    given = authorization.substr(kBearer.size());
  }
  bool known = false;
  for (const std::string& key : policy.api_keys)
    known |= equal_in_constant_time(key, given);
  if (known) return;
  throw HttpError(
      401, RH_AUTH_REQUIRED,
      given.empty() ? "this server asks for an API key" : "the API key is not one of this server's",
      "send it as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'", {{"WWW-Authenticate", "Bearer"}});
}

HttpError::Fields origin_fields(const Request& request, const AccessPolicy& policy) {
  const auto origin = request.headers.find("Origin");
  if (!origin || !origin_allowed(*origin, request, policy)) return {};
  return {
      {"Access-Control-Allow-Origin", std::string(*origin)},
      {"Access-Control-Expose-Headers", "X-Request-Id, Retry-After, X-Roundhouse-Engine, X-Roundhouse-Model"},
      {"Vary", "Origin"}};
}

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && request.headers.find("Origin") &&
         request.headers.find("Access-Control-Request-Method");
}

HttpError::Fields preflight_fields(const Request& request, const std::string& methods) {
  HttpError::Fields fields = {{"Access-Control-Allow-Methods", methods}, {"Access-Control-Max-Age", "600"}};
  const auto wanted = request.headers.find("Access-Control-Request-Headers");
  if (wanted && is_token_list(*wanted)) {
    fields.emplace_back("Access-Control-Allow-Headers", std::string(*wanted));
  }
  if (request.headers.find("Access-Control-Request-Private-Network") == "true") {
    fields.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  return fields;
}

}  // namespace roundhouse::host::http
