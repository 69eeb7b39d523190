// SPDX-License-Identifier: Apache-2.0
#include "host/transport/url.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <boost/url.hpp>
#include <charconv>

#include "host/text/letters.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kMaximumBytes = 16'384;

[[noreturn]] void refuse(rh_status code, std::string_view text, const std::string& what) {
  throw Error(code, "url '" + std::string(text.substr(0, text.find('?'))) + "': " + what);
}

// Bytes that have no place in a URL, as people and servers write them nevertheless.
std::string escaped(const std::string& text) {
  return percent_encoded(text, "%!*'();:@&=+$,/?#[]");
}

// From the text itself: Boost 1.81 takes "127.0.0.1.example" for an address and a path.
std::string host_of(const std::string& text) {
  const std::size_t begin = text.find("://") + 3;
  const std::string authority = text.substr(begin, text.find_first_of("/?#", begin) - begin);
  if (!authority.starts_with('[')) return lowered(authority.substr(0, authority.find(':')));
  return lowered(authority.substr(1, authority.find(']') - 1));
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_host_name(const std::string& host) {
  return !host.empty() &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
}

// 0 for what is no port.
std::uint16_t port_number(const std::string& digits) {
  std::uint16_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && stopped == end ? number : std::uint16_t{0};
}

}  // namespace

std::string percent_encoded(std::string_view text, std::string_view keep) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos ||
        (c != '\0' && keep.find(c) != std::string_view::npos)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

Url Url::parse(const std::string& text) {
  if (text.size() > kMaximumBytes)
    refuse(RH_INVALID_ARGUMENT, text.substr(0, 60), "has more than 16384 bytes");
  const auto parsed = urls::parse_uri(text);
  if (!parsed) refuse(RH_INVALID_ARGUMENT, text, "is not a URL, expected https://host/path");
  Url url;
  url.scheme_ = lowered(std::string(parsed->scheme()));
  if (url.scheme_ != "http" && url.scheme_ != "https")
    refuse(RH_INVALID_ARGUMENT, text, "scheme '" + url.scheme_ + "' is not known, expected https or http");
  if (!parsed->has_authority()) refuse(RH_INVALID_ARGUMENT, text, "has no host name");
  if (parsed->has_userinfo())
    refuse(RH_INVALID_ARGUMENT, "", "holds a user name, expected credentials apart from the address");
  url.host_ = host_of(text);
  url.numeric_ = is_address(url.host_);
  if (!url.numeric_ && !is_host_name(url.host_)) refuse(RH_INVALID_ARGUMENT, text, "has no host name");
  url.port_ = url.secure() ? 443 : 80;
  if (parsed->has_port() && !parsed->port().empty()) url.port_ = port_number(std::string(parsed->port()));
  if (url.port_ == 0) refuse(RH_INVALID_ARGUMENT, text, "port is out of range, expected 1 to 65535");
  const std::string path(parsed->encoded_path());
  url.target_ = path.empty() ? "/" : path;
  if (!url.target_.starts_with('/')) refuse(RH_INVALID_ARGUMENT, text, "has a host that is not a name");
  if (parsed->has_query()) url.target_ += "?" + std::string(parsed->encoded_query());
  return url;
}

Url Url::resolve(const std::string& location) const {
  if (location.size() > kMaximumBytes) refuse(RH_SOURCE_REJECTED, origin(), "leads to more than 16384 bytes");
  const std::string base_text = text(), reference_text = escaped(location);
  const auto base = urls::parse_uri(base_text);
  const auto reference = urls::parse_uri_reference(reference_text);
  urls::url resolved;
  if (!base || !reference || !urls::resolve(*base, *reference, resolved))
    refuse(RH_SOURCE_REJECTED, shown(), "leads to something that is not a URL");
  try {
    return parse(std::string(resolved.buffer()));
  } catch (const Error& error) {
    throw Error(RH_SOURCE_REJECTED, shown() + " leads elsewhere: " + error.what());
  }
}

Url Url::with_target(const std::string& target) const {
  return parse(origin() + target);
}

bool Url::loopback() const {
  if (host_ == "localhost" || host_ == "::1") return true;
  return numeric_ && host_.starts_with("127.");
}

std::string Url::authority() const {
  const std::string host = host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]";
  return port_ == (secure() ? 443 : 80) ? host : fmt::format("{}:{}", host, port_);
}

std::string Url::origin() const {
  return scheme_ + "://" + authority();
}

std::string Url::shown() const {
  return origin() + target_.substr(0, target_.find('?'));
}

}  // namespace roundhouse::host
