// SPDX-License-Identifier: Apache-2.0
// The flags of commands that talk to an OCI registry.
#pragma once

#include <string>

#include "host/cli/flags.h"
#include "host/sources/registry_client.h"

namespace roundhouse::host {

class RegistryFlags {
 public:
  void declare(FlagTable& command);

  // Who is asking (the flags, else what find_credentials finds) and how. Reads the password from the file or
  // from standard input. A signal that was noted cancels. Throws INVALID_ARGUMENT for half a login, IO_ERROR.
  RegistryAccess access(const RegistryReference& reference, bool allow_http) const;
  // The first half of that: who is asking.
  CredentialSearch search(const RegistryReference& reference) const;

 private:
  std::string username_, password_file_;
  bool password_stdin_ = false;
};

}  // namespace roundhouse::host
