// SPDX-License-Identifier: Apache-2.0
#include "host/server/http/own_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <optional>

#include "roundhouse/error.hpp"

namespace roundhouse::host::http {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

std::optional<ip::address> address_in(const std::string& remote) {
  const auto colon = remote.rfind(':');
  std::string text = remote.substr(0, colon);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  error_code error;
  ip::address address = ip::make_address(text, error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

bool holds(const std::string& network, const ip::address& address) {
  error_code error;
  if (network.find('/') == std::string::npos) return ip::make_address(network, error) == address && !error;
  if (address.is_v4()) {
    const ip::network_v4 all = ip::make_network_v4(network, error);
    return !error && ip::network_v4(address.to_v4(), all.prefix_length()).canonical() == all.canonical();
  }
  const ip::network_v6 all = ip::make_network_v6(network, error);
  return !error && ip::network_v6(address.to_v6(), all.prefix_length()).canonical() == all.canonical();
}

// Of a list with commas, as proxies append to it.
std::string first_of(std::optional<std::string_view> list) {
  return list ? std::string(trimmed(list->substr(0, list->find(',')))) : "";
}

// The value of a pair of the first element of `Forwarded`.
std::string forwarded(std::string_view field, std::string_view name) {
  std::string_view rest = field.substr(0, field.find(','));
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = trimmed(rest.substr(0, end));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && equal_without_case(trimmed(pair.substr(0, equals)), name)) {
      std::string_view value = trimmed(pair.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      return std::string(value);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

// "/images" of "/images/"; empty for what could be more than a path.
std::string sane_prefix(std::string text) {
  while (text.ends_with('/'))
    text.pop_back();
  const bool sane = text.starts_with('/') && text.find("..") == std::string::npos &&
                    text.find("//") == std::string::npos && std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '/' || c == '.' || c == '-' || c == '_' || c == '~';
                    });
  return sane ? text : "";
}

void drop_own_port(OwnAddress& address) {
  const std::string port = address.scheme == "https" ? ":443" : ":80";
  if (address.host.ends_with(port)) address.host.resize(address.host.size() - port.size());
}

void take_proxy_fields(const Headers& headers, const AccessPolicy& policy, OwnAddress& address) {
  std::string scheme, host;
  if (const auto field = headers.find("Forwarded")) {
    scheme = forwarded(*field, "proto");
    host = forwarded(*field, "host");
  }
  if (scheme.empty()) scheme = first_of(headers.find("X-Forwarded-Proto"));
  if (host.empty()) host = first_of(headers.find("X-Forwarded-Host"));
  for (const char* known : {"http", "https"}) {
    if (equal_without_case(scheme, known)) address.scheme = known;
  }
  if (is_own_name(host_name_of(host), policy)) address.host = host;
  address.prefix = sane_prefix(first_of(headers.find("X-Forwarded-Prefix")));
}

}  // namespace

bool is_trusted_proxy(const std::string& remote, const std::vector<std::string>& proxies) {
  if (remote == kUnixPeer) return true;
  const auto address = address_in(remote);
  if (!address) return false;
  return address->is_loopback() || std::any_of(proxies.begin(), proxies.end(), [&](const std::string& proxy) {
           return holds(proxy, *address);
         });
}

bool is_address_or_network(const std::string& text) {
  error_code error;
  if (text.find('/') == std::string::npos) {
    ip::make_address(text, error);
    return !error;
  }
  ip::make_network_v4(text, error);
  if (!error) return true;
  error.clear();
  ip::make_network_v6(text, error);
  return !error;
}

OwnAddress parse_public_url(const std::string& where, const std::string& url) {
  OwnAddress address;
  const auto scheme = url.find("://");
  address.scheme = url.substr(0, scheme);
  const std::string rest = scheme == std::string::npos ? "" : url.substr(scheme + 3);
  const auto slash = rest.find('/');
  address.host = rest.substr(0, slash);
  const std::string path = slash == std::string::npos ? "" : rest.substr(slash);
  address.prefix = sane_prefix(path);
  const bool bare = path.find_first_not_of('/') == std::string::npos;
  if ((address.scheme != "http" && address.scheme != "https") || host_name_of(address.host).empty() ||
      address.host.find('@') != std::string::npos || (address.prefix.empty() && !bare)) {
    throw Error(RH_INVALID_ARGUMENT,
                where + ": '" + url + "' is not an address, expected such as https://studio.example/images");
  }
  drop_own_port(address);
  return address;
}

std::string parse_base_path(const std::string& where, const std::string& text) {
  std::string prefix = sane_prefix(text.starts_with('/') ? text : "/" + text);
  if (!prefix.empty() || text.find_first_not_of('/') == std::string::npos) return prefix;
  throw Error(RH_INVALID_ARGUMENT,
              fmt::format("{}: '{}' is not a path, expected one like /roundhouse", where, text));
}

std::string path_below(const std::string& path, const AccessPolicy& policy, OwnAddress& own) {
  std::string rest = path;
  const auto take = [&rest](const std::string& prefix) {
    const bool below = !prefix.empty() && rest.starts_with(prefix) &&
                       (rest.size() == prefix.size() || rest[prefix.size()] == '/');
    if (!below) return false;
    rest.erase(0, prefix.size());
    if (rest.empty()) rest = "/";
    return true;
  };
  const bool as_seen = take(own.prefix);
  const bool below = (!as_seen || own.prefix != policy.base_path) && take(policy.base_path);
  if (below && !policy.public_address) own.prefix += policy.base_path;
  return rest;
}

OwnAddress own_address(const Request& request, const AccessPolicy& policy) {
  if (policy.public_address) return *policy.public_address;
  OwnAddress address;
  address.host = request.headers.find("Host").value_or("localhost");
  if (is_trusted_proxy(request.remote, policy.trusted_proxies))
    take_proxy_fields(request.headers, policy, address);
  drop_own_port(address);
  return address;
}

}  // namespace roundhouse::host::http
