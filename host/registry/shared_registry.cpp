// SPDX-License-Identifier: Apache-2.0
// Copies instead of locks for readers: a registry is small and changes seldom.
#include "host/registry/shared_registry.h"

#include <utility>

namespace roundhouse::host {

SharedRegistry::SharedRegistry(std::function<std::vector<Candidate>()> discover)
    : discover_(std::move(discover)), registry_(std::make_shared<const Registry>(discover_())) {
}

std::shared_ptr<const Registry> SharedRegistry::snapshot() const {
  const std::lock_guard lock(mutex_);
  return registry_;
}

void SharedRegistry::update(const std::function<void(Registry&)>& change) {
  const std::lock_guard one_change(change_mutex_);
  auto copy = std::make_shared<Registry>(*snapshot());
  change(*copy);
  const std::lock_guard lock(mutex_);
  registry_ = std::move(copy);
}

void SharedRegistry::rescan() {
  const std::lock_guard one_change(change_mutex_);
  auto fresh = std::make_shared<const Registry>(discover_());
  const std::lock_guard lock(mutex_);
  registry_ = std::move(fresh);
}

std::optional<std::string> SharedRegistry::default_engine() const {
  const std::lock_guard lock(mutex_);
  return default_engine_;
}

void SharedRegistry::set_default_engine(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (id == "auto") {
    default_engine_.reset();
    return;
  }
  if (registry_->find(id) == nullptr) {
    std::string names;
    for (const EngineRecord& record : registry_->records()) {
      if (registry_->find(record.id) == &record) names += (names.empty() ? "" : ", ") + record.id;
    }
    throw Error(RH_ENGINE_NOT_FOUND, "engine '" + id + "' was not found among: " + names);
  }
  default_engine_ = id;
}

}  // namespace roundhouse::host
