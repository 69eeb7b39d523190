// SPDX-License-Identifier: Apache-2.0
// The flags of commands that talk to an OCI registry.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "host/sources/registry_client.h"

namespace roundhouse::host {

struct RegistryFlags {
  std::string username, password_file;
  bool password_stdin = false;

  void declare(CLI::App& command);

  // Who is asking: the flags, else what find_credentials finds. Reads the password from the file or from
  // standard input. Throws INVALID_ARGUMENT for half a login, IO_ERROR.
  CredentialSearch search(const RegistryReference& reference) const;
};

}  // namespace roundhouse::host
