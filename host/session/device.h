// SPDX-License-Identifier: Apache-2.0
// Which of an engine's devices a request runs on.
#pragma once

#include <string>

#include "host/registry/registry.h"

namespace roundhouse::host {

// `wanted`, or for "auto" the engine's first device that is not the processor, else "cpu".
std::string device_for(const std::string& wanted, const EngineRecord& engine);

}  // namespace roundhouse::host
