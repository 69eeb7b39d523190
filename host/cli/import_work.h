// SPDX-License-Identifier: Apache-2.0
// Models of this machine on their way into the store, for the commands that take one in.
#pragma once

#include <string>
#include <vector>

#include "host/cli/flags.h"
#include "host/cli/program.h"

namespace roundhouse::host {

// Flags that say how files get into the store.
struct LinkModeFlags {
  bool link = false, copy = false;

  void declare(FlagTable& command);
  LinkMode link_mode() const;
};

// Flags that put a model together from several places.
struct AssemblyFlags {
  std::string base;                     // a model by name or directory
  std::vector<std::string> components;  // NAME=FILE

  void declare(FlagTable& command);
};

struct ImportRequest {
  std::string path;  // a model directory, an OCI archive, a GGUF, or a safetensors file with a base
  std::string name;  // empty: from the path, or the archive's own
  AssemblyFlags parts;
  LinkMode link_mode = LinkMode::automatic;
  bool json = false;      // no progress on the terminal
  ProgressSeen progress;  // told instead of the terminal
};

Provenance local_provenance(const std::string& kind);
ImportReport import_path(const Program& program, const ImportRequest& request);
// The answer of a command that took a model in; the exit status.
int print_import(const ImportReport& report, const Store& store, bool json);

}  // namespace roundhouse::host
