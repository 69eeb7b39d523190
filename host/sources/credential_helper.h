// SPDX-License-Identifier: Apache-2.0
// Programs that keep logins for Docker: docker-credential-NAME.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "host/sources/registry_credentials.h"

namespace roundhouse::host {

struct HelperAnswer {
  std::optional<RegistryCredentials> found;
  std::string fault;  // why there is none, when that is not because the helper knows none: a clause
};

// Asks `docker-credential-<name> get` for the login of a server, whose name it gets on standard input. The
// program is looked for in `path` (as of PATH), and killed when it has not ended in time. Its own words are
// in the fault, a password never.
HelperAnswer ask_credential_helper(const std::string& name, const std::string& server,
                                   const std::string& path, std::chrono::milliseconds timeout);

}  // namespace roundhouse::host
