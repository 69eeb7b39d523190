// SPDX-License-Identifier: Apache-2.0
// An engine as `engines --json` and the daemon show it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "host/registry/registry.h"

namespace roundhouse::host {

// What the report says where there is one, else the manifest.
nlohmann::ordered_json engine_json(const EngineRecord& record);

// What is known of an engine whether or not it was loaded.
struct EngineDescription {
  std::string name, vendor, version, description, maturity;
};
EngineDescription describe(const EngineRecord& record);
// Those of an unusable record too.
const Capabilities& stated_capabilities(const EngineRecord& record);
// "bf16 412, f32 216": GFLOP/s by what weights are stored as; empty where they are not known.
std::string rates_text(const EngineRecord& record);
// What is odd about it: what the report says, and that its rates could not be measured.
std::vector<std::string> remarks_of(const EngineRecord& record);
std::vector<std::string> capability_values(const Capabilities& capabilities, const std::string& group);
std::optional<std::string> engine_fact(const EngineRecord& record, const std::string& name);

}  // namespace roundhouse::host
