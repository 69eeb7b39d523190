// SPDX-License-Identifier: Apache-2.0
#include "host/server/stored_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/store/store.h"
#include "host/text/list.h"

namespace roundhouse::host {

std::vector<std::string> visible_stored(const Services& services) {
  std::vector<std::string> names;
  for (const auto& entry : services.models().entries()) {
    if (entry.stored) names.push_back(entry.spec.name);
  }
  return names;
}

void require_stored(const Services& services, const ModelName& name) {
  const std::vector<std::string> visible = visible_stored(services);
  try {
    Store(services.store_root).get(name);
    if (std::ranges::find(visible, name.text()) != visible.end()) return;
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_NOT_FOUND) throw;
  }
  for (const auto& entry : services.models().entries()) {
    if (entry.spec.name != name.text() || !entry.present || entry.stored) continue;
    throw Error(
        RH_MODEL_NOT_FOUND,
        fmt::format("model '{}' is a directory beside the store; this takes models of the store",
                    name.text()),
        fmt::format("POST /api/create with \"from\": \"{}\" and a name of its own takes it in", name.text()));
  }
  throw Error(RH_MODEL_NOT_FOUND, fmt::format("model '{}' was not found in the store among: {}", name.text(),
                                              visible.empty() ? "(none)" : joined(visible)));
}

}  // namespace roundhouse::host
