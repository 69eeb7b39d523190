// SPDX-License-Identifier: Apache-2.0
// What a factory and its descriptors say, checked.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/registry/registry.h"
#include "roundhouse/engine.h"

namespace roundhouse::host {

// The descriptor of engine `id` among those of the factory, all of which are checked. Throws ENGINE_BROKEN
// with the rule; also when none has that id, the manifest's.
EngineReport describe_engine(const std::string& id, const rh_engine_factory& factory);

// A list of facts. Throws ENGINE_BROKEN; `name` says whose it is: "the engine's describe".
std::vector<std::pair<std::string, std::string>> read_facts(const std::string& engine, const char* rule,
                                                            const std::string& name, const rh_facts* list);

}  // namespace roundhouse::host
