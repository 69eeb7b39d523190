// SPDX-License-Identifier: Apache-2.0
// The address under which a client reaches this server: the server's own, or that of a proxy before it.
#pragma once

#include <string>

#include "host/server/http/access.h"

namespace roundhouse::host::http {

// From the request's Host and, where it comes from a trusted proxy, from the fields `Forwarded` (RFC 7239) or
// X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix: of a chain the first, which met the client. A
// host that is not a name of this server is not believed. `policy.public_address` goes before all of them.
OwnAddress own_address(const Request& request, const AccessPolicy& policy);

// The path as the routes know it, of a path as sent: without the prefix of `own`, where a proxy has left it,
// and without `policy.base_path`, which `own` then gets, too.
std::string path_below(const std::string& path, const AccessPolicy& policy, OwnAddress& own);
// "/roundhouse" of "roundhouse/". Throws INVALID_ARGUMENT for what is no such path; `where` begins the
// message.
std::string parse_base_path(const std::string& where, const std::string& text);

// Whether `proxies` (addresses, and networks such as "10.0.0.0/8") hold the address in "10.0.0.7:40312".
// Loopback's own and who is at a Unix socket are always trusted.
bool is_trusted_proxy(const std::string& remote, const std::vector<std::string>& proxies);
// Whether the text is an address or a network.
bool is_address_or_network(const std::string& text);
// Of "https://studio.example/images". Throws INVALID_ARGUMENT for what is no such address; `where` begins
// the message.
OwnAddress parse_public_url(const std::string& where, const std::string& url);

}  // namespace roundhouse::host::http
