// SPDX-License-Identifier: Apache-2.0
// The registry of a program that many threads use: readers take a snapshot, which never changes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/registry/registry.h"

namespace roundhouse::host {

// What a look at the engine directories has shown: ids, each once. An engine that another file provides now
// counts as replaced.
struct EngineChanges {
  std::vector<std::string> added, removed, replaced;
  bool none() const { return added.empty() && removed.empty() && replaced.empty(); }
};

// All functions may be called from any thread.
class SharedRegistry {
 public:
  // `discover` gives the candidates, now and at every rescan, and `complete` adds what is known of them; one
  // call at a time.
  explicit SharedRegistry(std::function<std::vector<Candidate>()> discover,
                          std::function<void(Registry&)> complete = {});

  // Cheap; keeps what it shows alive.
  std::shared_ptr<const Registry> snapshot() const;
  // `change` edits a copy, which takes the registry's place unless it throws. One change at a time; readers
  // do not wait for it.
  void update(const std::function<void(Registry&)>& change);
  // Looks for engines again. What probing has shown of engines whose files are the same stays, but not their
  // failures: those are tried again.
  EngineChanges rescan();
  // Likewise where a file changed, came or went; changes nothing otherwise. Costs reading the manifests.
  EngineChanges refresh();

  // The engine of requests that name none; none = automatic.
  std::optional<std::string> default_engine() const;
  // "auto" = automatic. Throws ENGINE_NOT_FOUND for an id that no usable record has.
  void set_default_engine(const std::string& id);

 private:
  EngineChanges look_again(bool always);
  Registry discovered() const;

  std::function<std::vector<Candidate>()> discover_;
  std::function<void(Registry&)> complete_;
  std::mutex change_mutex_;   // held during a change; taken before the other
  mutable std::mutex mutex_;  // guards all below
  std::shared_ptr<const Registry> registry_;
  std::optional<std::string> default_engine_;
};

}  // namespace roundhouse::host
