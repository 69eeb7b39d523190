// SPDX-License-Identifier: Apache-2.0
// Gives the tokens that docker-registry's kind of private registry wants.
#pragma once

#include <filesystem>
#include <string>

#include "tests/host/sources/http_server.h"

namespace roundhouse::test {

// Grants user ann with password "secret" what is asked for, everybody else the right to pull from
// repositories below public/.
class TokenServer {
 public:
  // Makes a key and a certificate in the directory.
  explicit TokenServer(std::filesystem::path directory);

  // The section "auth" for DockerRegistry.
  std::string auth() const;
  std::size_t requests() const { return server_.requests().size(); }

 private:
  ServerReply answer(const ServerRequest& request) const;
  std::string signed_token(const std::string& claims) const;

  std::filesystem::path directory_;
  std::string certificate_;  // base64
  HttpServer server_;
};

}  // namespace roundhouse::test
