// SPDX-License-Identifier: Apache-2.0
// --in-process: an engine in the program itself.
#include "host/cli/in_process.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "host/log/reason.h"
#include "host/worker/engine_client.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(RH_IO_ERROR, "--in-process: " + what + ": " + reason(errno));
}

void put_back(const std::string& text) {
  const int file = memfd_create("prompt", 0);
  if (file < 0) fail("standard input cannot be kept");
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || lseek(file, 0, SEEK_SET) != 0 || dup2(file, STDIN_FILENO) < 0) {
    close(file);
    fail("standard input cannot be kept");
  }
  close(file);
}

}  // namespace

void ensure_engine_environment(const Program& program, const EngineManifest& manifest,
                               const std::string* standard_input) {
  const auto wanted = engine_environment(manifest);
  if (wanted.empty()) return;
  for (const auto& [name, value] : wanted) {
    if (setenv(name.c_str(), value.c_str(), 0) != 0) fail("'" + name + "' cannot be set");
  }
  if (!engine_environment(manifest).empty()) return;  // running again would not change it, for ever
  if (standard_input != nullptr) put_back(*standard_input);
  execv(program.executable.c_str(), program.arguments);
  fail("'" + program.executable.string() + "' cannot be run again");
}

}  // namespace roundhouse::host
