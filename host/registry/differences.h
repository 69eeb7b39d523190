// SPDX-License-Identifier: Apache-2.0
// Where a plugin's description of itself differs from its manifest's.
#pragma once

#include <string>
#include <vector>

#include "host/registry/registry.h"

namespace roundhouse::host {

// One line for each difference: "version: the manifest says 1.0, the plugin 1.1". The order of capabilities
// does not matter.
std::vector<std::string> differences(const EngineManifest& manifest, const EngineReport& report);

}  // namespace roundhouse::host
