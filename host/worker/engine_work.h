// SPDX-License-Identifier: Apache-2.0
// An engine at work in this very process: what a worker does for its host, and what --in-process does
// directly.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "host/loading/plugin.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {

// How one call is followed and stopped. Called from inside the call, on its thread.
struct Watch {
  std::function<void(const ProgressEvent&)> progress;  // throws nothing; opening a model: stage "load"
  const std::atomic<bool>* cancelled = nullptr;        // never null in a call
  // The engine has asked whether to stop; any thread, often. Throws nothing.
  std::function<void()> alive = {};
  std::function<void(const PreviewEvent&)> preview = {};  // none = none are made; throws nothing
};

// Not for use by two threads at once. Every failure is an Error that names the engine; CANCELLED only when
// watch.cancelled is set.
class EngineWork {
 public:
  EngineWork(EngineManifest manifest, std::uint32_t threads, std::string device,
             std::vector<EngineOption> engine_options, PluginLog log);
  ~EngineWork();

  EngineReport probe();
  OpenResult open(const ModelSource& job, const Watch& watch);
  Estimate estimate(const ModelSource& model, const ImageTask& job, const Watch& watch);
  ImageResult generate(const ImageTask& job, const Watch& watch);
  // `seen` is called on the thread of this call, and may throw.
  ConvertResult convert(const ConvertTask& job, const Watch& watch, const ConvertProgress& seen);
  double matrix_rate(const std::string& product, std::uint32_t m, std::uint32_t n, std::uint32_t k,
                     double seconds);

 private:
  void load();

  EngineManifest manifest_;
  std::uint32_t threads_;
  std::string device_;
  std::vector<EngineOption> engine_options_;
  PluginLog log_;
  // In the order of their lifetimes: the model ends first.
  std::unique_ptr<Plugin> plugin_;
  std::unique_ptr<Plugin::Engine> engine_;
  std::unique_ptr<Plugin::Model> model_;
};

}  // namespace roundhouse::host
