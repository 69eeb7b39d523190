// SPDX-License-Identifier: Apache-2.0
// A loaded plugin: dlopen, every check before any of its functions is called, and owners for the three
// lifetimes. Runs inside a worker process (or in the program itself with --in-process). The only room that
// uses dlfcn.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "host/loading/extension.h"
#include "host/manifest/manifest.h"
#include "host/registry/registry.h"
#include "roundhouse/error.hpp"
#include "roundhouse/roundhouse.h"

namespace roundhouse::host {

// Receives what plugins log through rh.log/1; any thread.
using PluginLog =
    std::function<void(std::uint32_t level, const std::string& category, const std::string& message)>;

// Owns one loaded library (which stays in the process, as contracts allow), its rh_host and its engines'
// description.
class Plugin {
 public:
  // Loads the manifest's library and runs init. Throws Error: ENGINE_INCOMPATIBLE (no entry of this ABI: no
  // symbol, other major, entry too small or with null functions), ENGINE_BROKEN with the rule of CONTRACT.md
  // that is broken (no loadable library, bad factory or descriptor, id not the manifest's), or what init
  // said. dlerror's text and the path tried are in the message. `threads`: the budget.
  Plugin(const EngineManifest& manifest, std::uint32_t threads, PluginLog log);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  class Engine;
  class Model;
  std::unique_ptr<Engine> create_engine(const std::string& device, const rh_options* options = nullptr);
  // The descriptor, with the facts of `engine` when given.
  EngineReport report(const Engine* engine) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// What the host asks of rh_engine; null-checked and size-checked.
class Plugin::Engine {
 public:
  ~Engine();
  // Throws the plugin's error, or ENGINE_BROKEN when it returns success without a model, or an error without
  // a message, or a model that takes less than 1 call or more than 1024 at once.
  std::unique_ptr<Model> open_model(const rh_model_source& source);
  // The engine side of an extension, checked (checked_extension); valid as long as the engine.
  template <class Record>
  const Record& extension(const char* id) const {
    return checked_extension<Record>(engine_id(), id, find_extension(id));
  }
  // Calls a function of an extension with this engine and a record for its error. An exception that escapes
  // from the plugin is ENGINE_BROKEN; none may escape from the host's callbacks.
  Answer call(const std::string& name, const std::function<rh_status(rh_engine*, rh_error*)>& function) const;

 private:
  friend class Plugin;
  struct State;
  const std::string& engine_id() const;
  const void* find_extension(const char* id) const;
  rh_engine* raw() const;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Several threads may call `generate` and `call` at once, as many as `capacity` says.
class Plugin::Model {
 public:
  ~Model();
  const std::string& engine_id() const;
  // The model side of an extension, checked; valid as long as the model. CAPABILITY_UNSUPPORTED where it has
  // none: "this model <lacks> (no <id>)".
  template <class Record>
  const Record& extension(const char* id, const char* lacks) const {
    return checked_extension<Record>(engine_id(), id, find_extension(id, lacks));
  }
  // As Engine::call.
  Answer call(const std::string& name, const std::function<rh_status(rh_model*, rh_error*)>& function) const;
  // Calls that it takes at once: 1, or what its rh.concurrency/1 says.
  std::uint32_t capacity() const;
  std::vector<std::pair<std::string, std::string>> facts() const;
  // Runs rh.image/1. Throws the plugin's error; CAPABILITY_UNSUPPORTED when the model has no rh.image/1;
  // ENGINE_BROKEN when it returns success without exactly one valid image. `sink` is the caller's; this
  // call watches it.
  void generate(const rh_image_request& request, const rh_image_sink& sink);

 private:
  friend class Engine;
  struct State;
  const void* find_extension(const char* id, const char* lacks) const;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace roundhouse::host
