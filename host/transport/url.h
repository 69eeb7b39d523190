// SPDX-License-Identifier: Apache-2.0
// Addresses of HTTP servers and of what they serve.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace roundhouse::host {

// An absolute http or https URL. What it holds is printable ASCII without spaces, so that it is safe in a
// request line, in a message and in a log; it never holds a user or a password, nor a fragment.
class Url {
 public:
  // Throws INVALID_ARGUMENT with the text and what is wrong with it.
  static Url parse(const std::string& text);

  // What a Location header or a link on this page means; relative ones are resolved against this URL. Throws
  // SOURCE_REJECTED for what is no http or https URL.
  Url resolve(const std::string& location) const;
  // The same server with another path and query: "/v2/?n=1". Throws INVALID_ARGUMENT.
  Url with_target(const std::string& target) const;

  const std::string& scheme() const { return scheme_; }  // "http" or "https"
  const std::string& host() const { return host_; }      // lower case; an IPv6 address without brackets
  std::uint16_t port() const { return port_; }
  const std::string& target() const { return target_; }  // "/path?query", at least "/"

  bool secure() const { return scheme_ == "https"; }
  bool numeric_host() const { return numeric_; }  // an address, not a name
  bool loopback() const;                          // by name or address: what never leaves this machine
  std::string authority() const;                  // "host" or "host:port", as in a Host header
  std::string origin() const;                     // "https://host" or "https://host:port"
  std::string text() const { return origin() + target_; }
  // Without the query, which may hold a signature that is as good as a token.
  std::string shown() const;

  // Scheme, host and port: what a credential is given to.
  bool same_origin(const Url& other) const { return origin() == other.origin(); }

 private:
  std::string scheme_, host_, target_;
  std::uint16_t port_ = 0;
  bool numeric_ = false;
};

// Percent-encodes all but letters, digits and - . _ ~ and what `keep` lists.
std::string percent_encoded(std::string_view text, std::string_view keep = {});

}  // namespace roundhouse::host
