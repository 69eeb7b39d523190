// SPDX-License-Identifier: Apache-2.0
#include "host/server/stored_models.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "host/store/store.h"
#include "host/text/list.h"

namespace roundhouse::host {

namespace {

using Entries = std::vector<ModelCatalogue::Entry>;

std::vector<std::string> stored_names(const Entries& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    if (entry.stored) names.push_back(entry.spec.name);
  }
  return names;
}

}  // namespace

std::vector<std::string> visible_stored(const Services& services) {
  return stored_names(services.models().entries());
}

void require_allowed(const Services& services, const ModelName& name) {
  const std::vector<std::string> allowed = services.models().search().allowed;
  if (allowed.empty() || std::ranges::any_of(allowed, [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), name.text().c_str(), 0) == 0;
      }))
    return;
  throw Error(RH_INVALID_ARGUMENT, "model '" + name.text() + "': is not among those that this server allows");
}

void require_stored(const Services& services, const ModelName& name) {
  const Entries entries = services.models().entries();
  const std::vector<std::string> visible = stored_names(entries);
  try {
    Store(services.store_root).get(name);
    if (std::ranges::find(visible, name.text()) != visible.end()) return;
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_NOT_FOUND) throw;
  }
  for (const auto& entry : entries) {
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
