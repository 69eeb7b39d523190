// SPDX-License-Identifier: Apache-2.0
// Begins what is asked for, when it is asked for.
#include "host/worker/loaded_engine.h"

#include "host/worker/engine_call.h"

namespace roundhouse::host {

void LoadedEngine::set_up(EngineSetup setup) {
  if (id().empty()) setup_ = std::move(setup);
}

void LoadedEngine::end() {
  model_.reset();
  engine_.reset();
  plugin_.reset();
}

Plugin::Engine& LoadedEngine::engine() {
  if (id().empty()) throw Error(RH_INTERNAL, "the worker was not told its engine");
  if (!plugin_) plugin_ = std::make_unique<Plugin>(setup_.manifest, setup_.threads, log_);
  if (!engine_) engine_ = plugin_->create_engine(setup_.device, OptionRecords(setup_.options).list());
  return *engine_;
}

EngineReport LoadedEngine::report() {
  const Plugin::Engine& loaded = engine();
  return plugin_->report(&loaded);
}

Plugin::Model& LoadedEngine::model() const {
  if (!model_) throw Error(RH_INTERNAL, "no model is open");
  return *model_;
}

}  // namespace roundhouse::host
