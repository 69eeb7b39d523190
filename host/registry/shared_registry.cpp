// SPDX-License-Identifier: Apache-2.0
// Copies instead of locks for readers: a registry is small and changes seldom.
#include "host/registry/shared_registry.h"

#include <algorithm>
#include <map>
#include <utility>

namespace roundhouse::host {
namespace {

// Which files stand for an engine now.
std::map<std::string, std::string> provided(const Registry& registry) {
  std::map<std::string, std::string> stamps;
  for (const EngineRecord& record : registry.records()) {
    if (record.state != EngineState::duplicate)
      stamps.emplace(record.id, record.manifest_file.string() + " " + record.stamp);
  }
  return stamps;
}

EngineChanges compare(const Registry& before, const Registry& after) {
  const auto old = provided(before), fresh = provided(after);
  EngineChanges changes;
  for (const auto& [id, stamp] : fresh) {
    const auto known = old.find(id);
    if (known == old.end())
      changes.added.push_back(id);
    else if (known->second != stamp)
      changes.replaced.push_back(id);
  }
  for (const auto& [id, stamp] : old) {
    if (!fresh.contains(id)) changes.removed.push_back(id);
  }
  return changes;
}

// Gives records whose files are the same what probing has shown.
void take_reports(Registry& fresh, const Registry& before) {
  for (const EngineRecord& known : before.records()) {
    if (known.state != EngineState::available) continue;
    const auto same = std::ranges::find_if(fresh.records(), [&](const EngineRecord& record) {
      return record.manifest_file == known.manifest_file && record.stamp == known.stamp &&
             record.state == EngineState::listed;
    });
    if (same != fresh.records().end()) fresh.set_report(known.manifest_file, *known.report);
  }
}

}  // namespace

SharedRegistry::SharedRegistry(std::function<std::vector<Candidate>()> discover,
                               std::function<void(Registry&)> complete)
    : discover_(std::move(discover)),
      complete_(std::move(complete)),
      registry_(std::make_shared<const Registry>(discovered())) {
}

Registry SharedRegistry::discovered() const {
  Registry registry(discover_());
  if (complete_) complete_(registry);
  return registry;
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

EngineChanges SharedRegistry::rescan() {
  return look_again(true);
}

EngineChanges SharedRegistry::refresh() {
  return look_again(false);
}

EngineChanges SharedRegistry::look_again(bool always) {
  const std::lock_guard one_change(change_mutex_);
  auto fresh = std::make_shared<Registry>(discover_());
  const std::shared_ptr<const Registry> before = snapshot();
  EngineChanges changes = compare(*before, *fresh);
  if (changes.none() && !always) return changes;
  take_reports(*fresh, *before);
  if (complete_) complete_(*fresh);
  const std::lock_guard lock(mutex_);
  registry_ = std::move(fresh);
  return changes;
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
