// SPDX-License-Identifier: Apache-2.0
// Which requests go through a proxy, as the usual variables say it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/transport/url.h"

namespace roundhouse::host {

struct Proxy {
  Url url;                                   // http, with the host and port to connect to
  std::optional<std::string> authorization;  // the value of Proxy-Authorization; in no message
};

// A value; without variables nothing goes through a proxy.
class ProxyRules {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  ProxyRules() = default;
  // From https_proxy, http_proxy, all_proxy and no_proxy; those in capitals count where these are not set.
  // Proxies are [http://][USER:PASSWORD@]HOST[:PORT]. NO_PROXY lists, between commas, names with all that
  // ends in them, addresses, networks (10.0.0.0/8), each with or without a port, or "*". Throws
  // INVALID_ARGUMENT naming the variable, never its password.
  static ProxyRules from(const Environment& environment);

  // The proxy for the URL; none: the server itself is asked.
  std::optional<Proxy> find(const Url& url) const;

 private:
  struct Exception {
    std::string name;                   // a domain without leading dots, or empty
    std::vector<std::uint8_t> network;  // of an address, 4 or 16 bytes
    unsigned bits = 0;                  // of the network that count
    std::optional<std::uint16_t> port;  // none: any
  };
  static std::optional<Exception> parse_exception(std::string text);
  static bool matches(const Exception& exception, const Url& url);

  std::optional<Proxy> http_, https_;
  std::vector<Exception> exceptions_;
  bool never_ = false;
};

}  // namespace roundhouse::host
