// SPDX-License-Identifier: Apache-2.0
// One connection to an HTTP server, with or without TLS. Every wait has an end, and looks whether it was
// cancelled.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "host/transport/http.h"

namespace roundhouse::host {

// The certificates that a client trusts; loaded when the first connection needs them.
class TlsTrust {
 public:
  explicit TlsTrust(std::string ca_file);
  ~TlsTrust();
  TlsTrust(const TlsTrust&) = delete;
  TlsTrust& operator=(const TlsTrust&) = delete;

  struct Context;
  // Throws IO_ERROR when the file of certificates cannot be used.
  Context& context();

 private:
  std::string ca_file_;
  std::unique_ptr<Context> context_;
};

// Options and trust outlive the connection.
class Connection {
 public:
  // Connects to the URL's origin, or to the proxy that leads there; through it to the origin where the URL is
  // secure. Throws HttpFailure and CANCELLED, as all below, and AUTH_REQUIRED for what a proxy asks.
  Connection(const Url& url, const std::optional<Proxy>& proxy, const HttpOptions& options, TlsTrust& trust);
  ~Connection();

  // At least one byte, or 0 when the server has ended the connection in good order.
  std::size_t read_some(char* data, std::size_t size);
  void write_all(std::string_view bytes);

  // Whether it can carry another request: the server has neither ended it nor sent what nobody asked for.
  bool usable();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace roundhouse::host
