// SPDX-License-Identifier: Apache-2.0
// What SIGHUP changes of a running daemon: engines, and the settings that need no restart.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/cli/serve_settings.h"
#include "host/log/log.h"
#include "host/server/daemon.h"

namespace roundhouse::host {

// Patterns of the models that clients may use, which another thread may change. Any thread.
class AllowedModels {
 public:
  explicit AllowedModels(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}
  std::vector<std::string> get() const {
    const std::lock_guard lock(mutex_);
    return patterns_;
  }
  void set(std::vector<std::string> patterns) {
    const std::lock_guard lock(mutex_);
    patterns_ = std::move(patterns);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> patterns_;
};

// The policy that the settings describe.
http::AccessPolicy access_policy(const ServeSettings& settings);

// Keys whose values differ, in two groups; never their values, which may be secret.
struct ChangedSettings {
  std::vector<std::string> taken, need_restart;
};
ChangedSettings changed_settings(const ServeSettings& before, const ServeSettings& after);

// Takes what can change from `fresh` into the daemon; `current` becomes what runs now. The log says which
// keys changed, and which wait for a restart.
void take_settings(ServeSettings& current, const ServeSettings& fresh, AllowedModels& allowed, Daemon& daemon,
                   Log& log);

}  // namespace roundhouse::host
