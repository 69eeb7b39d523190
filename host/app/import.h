// SPDX-License-Identifier: Apache-2.0
// Models of this machine into the store.
#pragma once

#include <string>
#include <vector>

#include "host/app/app_context.h"

namespace roundhouse::host {

// What puts a model together from several places.
struct AssemblyParts {
  std::string base;                     // a model by name or directory
  std::vector<std::string> components;  // NAME=FILE
};

struct ImportRequest {
  // A model directory, an OCI archive, a GGUF, or, with a base, a safetensors file or the directory of one
  // component.
  std::string path;
  std::string name;  // empty: from the path, or the archive's own
  AssemblyParts parts;
  LinkMode link_mode = LinkMode::automatic;
  ProgressCallback progress;                  // may throw CANCELLED
  std::string source = {};                    // what the model is said to be made of; empty: the path
  std::optional<Provenance> provenance = {};  // none: made on this machine
  bool own_directory = false;  // one that this program has put together: all its links are followed
};

// Throws what Store::import_directory and import_archive throw, INVALID_ARGUMENT for parts that do not fit
// the path or are not NAME=FILE.
ImportReport import_model(const AppContext& context, const ImportRequest& request);

// Throws what the import of a file would throw of its header, as far as it can be known without its data, and
// takes nothing in. Not for archives.
void rehearse_import(const AppContext& context, const ImportRequest& request);

// Of a model that was made on this machine.
Provenance local_provenance(const AppContext& context, const std::string& kind);

}  // namespace roundhouse::host
