// SPDX-License-Identifier: Apache-2.0
// Who somebody is to a registry: user and password, from the environment or from the files in which Docker,
// Podman and skopeo keep them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "host/sources/registry_reference.h"

namespace roundhouse::host {

// Never logged, and never part of a message.
struct RegistryCredentials {
  std::string username, password;

  std::string basic() const;  // the value of an Authorization header
};

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string&)>;

struct CredentialSearch {
  std::optional<RegistryCredentials> found;
  // What a file says about this registry that could not be used (a helper that fails); empty without.
  std::string note;
};

// Looks at ROUNDHOUSE_REGISTRY_USERNAME and ROUNDHOUSE_REGISTRY_PASSWORD, then at the first file that knows
// the registry: REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json,
// $DOCKER_CONFIG/config.json, ~/.docker/config.json. The longest key wins, as of containers-auth.json(5).
// Throws INVALID_ARGUMENT for half of the pair or for a file that is damaged.
// A file that leaves logins to a helper (credHelpers, credsStore) has docker-credential-NAME of PATH asked;
// what goes wrong there, or takes longer than `helper_timeout`, becomes the note.
CredentialSearch find_credentials(const RegistryReference& reference, const EnvironmentLookup& environment,
                                  std::chrono::milliseconds helper_timeout = std::chrono::seconds(30));

}  // namespace roundhouse::host
