// SPDX-License-Identifier: Apache-2.0
#include "host/cli/registry_flags.h"

#include <iostream>

#include "host/cli/interrupt.h"
#include "host/cli/program.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumPasswordBytes = 64 << 10;

// The first line, as files and pipes end theirs.
std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

std::string password_from_input() {
  std::string line;
  std::getline(std::cin, line);
  return first_line(line);
}

std::string password_from_file(const std::string& file) {
  const std::string shown = "password file '" + file + "'";
  const auto text = read_small_file(file, shown, kMaximumPasswordBytes);
  if (!text) throw Error(RH_IO_ERROR, shown + ": no such file");
  return first_line(*text);
}

}  // namespace

void RegistryFlags::declare(FlagTable& command) {
  command.add("--username", "USER",
              "User of the registry [default: $ROUNDHOUSE_REGISTRY_USERNAME with "
              "$ROUNDHOUSE_REGISTRY_PASSWORD, or what 'docker login', 'podman login' or 'skopeo login' "
              "left in a file]",
              &username_);
  command.add("--password-file", "FILE", "File whose first line is the password", &password_file_);
  command.add("--password-stdin", "Read the password from standard input", &password_stdin_).excludes =
      "--password-file";
}

CredentialSearch RegistryFlags::search(const RegistryReference& reference) const {
  const bool password = password_stdin_ || !password_file_.empty();
  if (username_.empty() && !password) return find_credentials(reference, environment_variable);
  if (username_.empty() || !password)
    throw Error(RH_INVALID_ARGUMENT,
                "--username needs --password-file or --password-stdin, and they need --username");
  const std::string secret = password_stdin_ ? password_from_input() : password_from_file(password_file_);
  if (secret.empty()) throw Error(RH_INVALID_ARGUMENT, "the password is empty");
  return {RegistryCredentials{username_, secret}, ""};
}

RegistryAccess RegistryFlags::access(const RegistryReference& reference, bool allow_http) const {
  RegistryAccess access;
  access.http.allow_plain_http = allow_http;
  access.http.user_agent = "roundhouse/" + program_version();
  access.http.cancelled = interrupt_noted;
  access.http.proxies = ProxyRules::from(environment_variable);
  access.search = search(reference);
  return access;
}

}  // namespace roundhouse::host
