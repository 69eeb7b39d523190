// SPDX-License-Identifier: Apache-2.0
// From a library file to a checked entry record. The only user of dlfcn.
#pragma once

#include <filesystem>
#include <string>

#include "roundhouse/entry.h"

namespace roundhouse::host {

// Loads the library, for the rest of the process, and returns its entry after every check that is possible
// without calling one of its functions. Throws ENGINE_BROKEN with the path and dlerror's text for what is no
// loadable library, ENGINE_INCOMPATIBLE with the rule for what is no plugin of this ABI or processor.
const rh_plugin_entry_v1& load_library(const std::string& engine, const std::filesystem::path& library);

}  // namespace roundhouse::host
