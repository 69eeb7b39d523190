// SPDX-License-Identifier: Apache-2.0
// Engines that come, go or are replaced while the daemon runs.
#pragma once

#include "host/server/services.h"

namespace roundhouse::host {

// Looks for engines again where files in the engine directories changed, and always with `forced`: then
// failures of unchanged ones are forgotten, too. Workers of what was replaced or went end after the requests
// that they work for. The log says what changed. Any thread.
EngineChanges rescan_engines(const Services& services, bool forced);

}  // namespace roundhouse::host
