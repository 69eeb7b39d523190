// SPDX-License-Identifier: Apache-2.0
// Engine manifests: the small JSON file beside a plugin from which the host can list and refuse without
// loading anything. The format is sdk/manifest.schema.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/manifest/cpu_features.h"

namespace roundhouse::host {

// Group -> values, as in rh_engine_descriptor.capabilities: "task" -> {"text-to-image"}.
using Capabilities = std::map<std::string, std::vector<std::string>>;

bool has_capability(const Capabilities& capabilities, const std::string& group, const std::string& value);

// An inclusive bound on a named quantity.
struct Limit {
  double minimum = 0;
  double maximum = 0;
  double multiple_of = 0;  // 0 = any
};
using Limits = std::map<std::string, Limit>;

// A variable that must be in the environment before the library is loaded: a fixed value, or one that the
// host computes from the CPU ("openblas-coretype"). A variable that the user has set already is left as it
// is.
struct EnvironmentRule {
  std::string name;
  std::string value;     // fixed; empty when computed
  std::string computed;  // name of the computation; empty when fixed
};

struct EngineManifest {
  std::filesystem::path file;     // absolute
  std::filesystem::path library;  // absolute
  std::string id, name, vendor, version, description;
  std::string maturity;  // stable, experimental, teaching
  std::uint32_t abi_major = 0, abi_minor = 0;
  std::int32_t score = 0;  // on the processor that the manifest was read for
  Capabilities capabilities;
  Limits limits;
  std::vector<EnvironmentRule> environment;
  bool network = false;
};

// Reads and checks one manifest, for a processor with `features`. Throws Error: IO_ERROR when it cannot be
// read, ENGINE_BROKEN naming file, field, value and what was expected (unknown keys, wrong types, a bad id, a
// library with '..'), ENGINE_INCOMPATIBLE for another schema.
EngineManifest read_manifest(const std::filesystem::path& file, const CpuFeatures& features = cpu_features());

}  // namespace roundhouse::host
