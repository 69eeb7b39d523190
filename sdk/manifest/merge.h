// SPDX-License-Identifier: Apache-2.0
// A manifest of what an author states and what the plugin says.
#pragma once

#include "sdk/manifest/described_engine.h"

namespace manifest {

// `described` with the score, environment, network and x- keys of `stated`. Whatever else `stated` has must
// be what the plugin says (lists in any order), and a score for kinds of processor must have the one that the
// descriptor states on this machine. Throws Refused with the key and both values.
Json merge(const Json& stated, Json described);

}  // namespace manifest
