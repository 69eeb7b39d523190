// SPDX-License-Identifier: Apache-2.0
// The address under which a client reaches this server: the server's own, or that of a proxy before it.
#pragma once

#include <string>

#include "host/server/http/access.h"

namespace roundhouse::host::http {

struct OwnAddress {
  std::string scheme = "http";
  std::string host;    // with a port where that is not the scheme's own
  std::string prefix;  // of all paths, "/pictures", or empty

  std::string origin() const { return scheme + "://" + host; }
  std::string url() const { return origin() + prefix; }
};

// From the request's Host and, where it comes from a trusted proxy, from the fields `Forwarded` (RFC 7239) or
// X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix: of a chain the first, which met the client. A
// host that is not a name of this server is not believed. `policy.public_url` goes before all of them.
OwnAddress own_address(const Request& request, const AccessPolicy& policy);

// Whether `proxies` (addresses, and networks such as "10.0.0.0/8") hold the address in "10.0.0.7:40312".
// Loopback's own are always trusted.
bool is_trusted_proxy(const std::string& remote, const std::vector<std::string>& proxies);
// Whether the text is an address or a network.
bool is_address_or_network(const std::string& text);
// Of "https://studio.example/pictures". Throws INVALID_ARGUMENT for what is no such address; `where` begins
// the message.
OwnAddress parse_public_url(const std::string& where, const std::string& url);

}  // namespace roundhouse::host::http
