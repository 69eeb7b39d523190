// SPDX-License-Identifier: Apache-2.0
// The way through a proxy to a server that is spoken to over TLS.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "host/transport/proxy.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// A connection as a tunnel needs it; see Connection for its errors.
class TunnelWire {
 public:
  virtual ~TunnelWire() = default;
  virtual std::size_t read_some(char* data, std::size_t size) = 0;
  virtual void write_all(std::string_view bytes) = 0;
};

inline constexpr unsigned kProxyLogin = 407;

Error proxy_wants_login(const Proxy& proxy);

// Asks the proxy for a tunnel (CONNECT) and reads its answer to the end. `shown` is the proxy in messages.
// Throws AUTH_REQUIRED, HttpFailure for a proxy that refuses, and what the wire throws.
void open_tunnel(const Url& url, const Proxy& proxy, const std::string& shown, TunnelWire& wire);

}  // namespace roundhouse::host
