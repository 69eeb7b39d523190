// SPDX-License-Identifier: Apache-2.0
// The flags of commands that take a model in, and their answer.
#pragma once

#include "host/app/import.h"
#include "host/cli/flags.h"

namespace roundhouse::host {

// How files get into the store.
struct LinkModeFlags {
  bool link = false, copy = false;

  void declare(FlagTable& command);
  LinkMode link_mode() const;
};

// What puts a model together from several places.
void declare_parts(FlagTable& command, AssemblyParts& parts);

// The answer of a command that took a model in; the exit status.
int print_import(const ImportReport& report, const Store& store, bool json);

}  // namespace roundhouse::host
