// SPDX-License-Identifier: Apache-2.0
// How somebody proves to a registry who they are: nothing, Basic, or tokens of the registry's token server.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/sources/registry_challenge.h"
#include "host/sources/registry_credentials.h"
#include "host/transport/http_client.h"

namespace roundhouse::host {

// "repository:team/tiny:pull,push", one or several.
using RegistryScopes = std::vector<std::string>;
std::string pull_scope(const std::string& repository);
std::string push_scope(const std::string& repository);

// Shared by all connections to one registry. Thread-safe; while one thread gets a token the others wait for
// it. Credentials go to the registry's own origin, and to a token server elsewhere only over https or on this
// machine. Tokens are kept for each set of scopes until shortly before they expire.
class RegistryAuth {
 public:
  // `search.note` is added to the hint of AUTH_REQUIRED.
  RegistryAuth(Url registry, CredentialSearch search);

  // The Authorization for a request that needs these scopes, as far as it is known what the registry wants. A
  // token that has expired is replaced, with `client`. Throws as `answer`.
  std::optional<std::string> authorization(HttpClient& client, const RegistryScopes& scopes);

  // The Authorization for another try of a request that was refused with 401 although it had `used`. Throws
  // AUTH_REQUIRED when there is no other, SOURCE_REJECTED for a challenge or a token that cannot be used, and
  // what the client throws.
  std::string answer(HttpClient& client, const HttpResponse& refused, const RegistryScopes& scopes,
                     const std::optional<std::string>& used);

  // AUTH_REQUIRED for a refusal (401, 403), with what can be done about it.
  Error refusal(const std::string& what, const HttpResponse& refused) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Token {
    std::string authorization;
    Clock::time_point expires;
  };
  const Token& fetch(HttpClient& client, const AuthChallenge& challenge, const RegistryScopes& scopes);
  HttpRequest token_request(const AuthChallenge& challenge, const RegistryScopes& scopes) const;

  const Url registry_;
  const CredentialSearch search_;
  std::mutex mutex_;
  bool basic_ = false;                   // the registry wants Basic
  std::optional<AuthChallenge> bearer_;  // the last one that led to a token
  std::map<RegistryScopes, Token> tokens_;
};

}  // namespace roundhouse::host
