// SPDX-License-Identifier: Apache-2.0
// The environment that an engine's library needs before it is loaded.
#include <cstdlib>

#include "host/manifest/cpu_features.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

// The value of a rule; empty = nothing to set. A computation that this host does not know sets nothing: the
// manifest's reader has refused it already.
std::string value_of(const EnvironmentRule& rule) {
  if (rule.computed.empty()) return rule.value;
  if (rule.computed == "openblas-coretype") return openblas_coretype(cpu_features());
  return "";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> engine_environment(const EngineManifest& manifest) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const EnvironmentRule& rule : manifest.environment) {
    if (std::getenv(rule.name.c_str()) != nullptr) continue;
    if (std::string value = value_of(rule); !value.empty()) {
      variables.emplace_back(rule.name, std::move(value));
    }
  }
  return variables;
}

}  // namespace roundhouse::host
