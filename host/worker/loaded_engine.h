// SPDX-License-Identifier: Apache-2.0
// An engine in this very process, and the model that it has open: what operations work with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/loading/plugin.h"
#include "host/task/engine_option.h"

namespace roundhouse::host {

// Which engine, and how it is started.
struct EngineSetup {
  EngineManifest manifest;
  std::uint32_t threads = 1;
  std::string device;
  std::vector<EngineOption> options;
};

// Not for use by two threads at once, but for `model`.
class LoadedEngine {
 public:
  explicit LoadedEngine(PluginLog log) : log_(std::move(log)) {}
  LoadedEngine(const LoadedEngine&) = delete;
  LoadedEngine& operator=(const LoadedEngine&) = delete;

  // To be told before anything else; only the first time counts.
  void set_up(EngineSetup setup);
  // Of the setup; empty before. The reference stays valid.
  const std::string& id() const { return setup_.manifest.id; }
  // Loads the plugin and creates the engine, once.
  Plugin::Engine& engine();
  EngineReport report();
  // Throws INTERNAL when none is open.
  Plugin::Model& model() const;
  void close_model() { model_.reset(); }
  // Ends all in order.
  void end();
  void open_model(const rh_model_source& source) { model_ = engine().open_model(source); }
  // Calls that the open model takes at once; 1 when none is open.
  std::uint32_t capacity() const { return model_ ? model_->capacity() : 1; }

 private:
  PluginLog log_;
  EngineSetup setup_;
  // In the order of their lifetimes: the model ends first.
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<Plugin::Engine> engine_;
  std::unique_ptr<Plugin::Model> model_;
};

}  // namespace roundhouse::host
