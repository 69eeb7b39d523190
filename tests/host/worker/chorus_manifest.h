// SPDX-License-Identifier: Apache-2.0
// The engine of chorus.cpp, whose models take several calls at once.
#pragma once

#include "worker_fixture.h"

namespace roundhouse::host {

inline EngineManifest chorus_manifest() {
  EngineManifest manifest = puppet_manifest();
  manifest.file = ROUNDHOUSE_CHORUS ".json";
  manifest.library = ROUNDHOUSE_CHORUS;
  manifest.id = "chorus";
  manifest.name = "Chorus";
  manifest.description = "Does several things at once.";
  manifest.capabilities["feature"] = {"modelless"};
  return manifest;
}

}  // namespace roundhouse::host
