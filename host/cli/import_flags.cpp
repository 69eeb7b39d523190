// SPDX-License-Identifier: Apache-2.0
#include "host/cli/import_flags.h"

#include "host/cli/report.h"
#include "host/cli/store_report.h"

namespace roundhouse::host {

void LinkModeFlags::declare(FlagTable& command) {
  command.add("--link",
              "Hard-link the files where they lie on the store's file system; a later "
              "change of them damages the model",
              &link);
  command.add("--copy", "Copy the bytes even where the file system could share them", &copy).excludes =
      "--link";
}

LinkMode LinkModeFlags::link_mode() const {
  return link ? LinkMode::link : copy ? LinkMode::copy : LinkMode::automatic;
}

void declare_parts(FlagTable& command, AssemblyParts& parts) {
  command.add("--base", "MODEL",
              "With a file of an image model's transformer: the model that has the other components, by "
              "name or directory",
              &parts.base);
  command.add("--component", "NAME=FILE",
              "Take the weights of component NAME (transformer, text_encoder, vae) from a GGUF or "
              "safetensors file (repeatable)",
              &parts.components);
}

int print_import(const ImportReport& report, const Store& store, bool json) {
  if (json) {
    print_json(import_json(report, store));
  } else {
    print(import_text(report));
  }
  return 0;
}

}  // namespace roundhouse::host
