// SPDX-License-Identifier: Apache-2.0
// A loaded and initialised plugin; kept by everything that was made with it.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "host/loading/plugin_error.h"
#include "host/loading/plugin_host.h"
#include "host/loading/process_state.h"

namespace roundhouse::host {

class PluginCore {
 public:
  PluginCore(const EngineManifest& manifest, std::uint32_t threads, PluginLog log);
  PluginCore(const PluginCore&) = delete;
  PluginCore& operator=(const PluginCore&) = delete;
  ~PluginCore();

  const std::string& id() const { return id_; }
  std::uint32_t threads() const { return threads_; }
  const rh_engine_factory& factory() const { return *factory_; }
  // The descriptor, and the remarks up to now.
  EngineReport report() const;

  // Runs a call into the plugin: no exception escapes from it, and what it changes in the process is put back
  // and remarked.
  template <class Call>
  auto call(const std::string& name, Call&& work) {
    const Watch watch(*this, name);
    return without_exceptions(id_, name, std::forward<Call>(work));
  }
  // The same for an end, which cannot fail: what goes wrong is logged.
  template <class Call>
  void end(const std::string& name, Call&& work) noexcept {
    try {
      call(name, std::forward<Call>(work));
    } catch (const std::exception& error) {
      host_.log(RH_LOG_ERROR, "engine", error.what());
    }
  }

 private:
  class Watch {
   public:
    Watch(PluginCore& core, const std::string& name) : core_(core), name_(name) { core_.begin_watch(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { core_.end_watch(name_); }

   private:
    PluginCore& core_;
    const std::string& name_;
  };

  void start(const EngineManifest& manifest);
  void begin_watch();
  void end_watch(const std::string& call) noexcept;
  void remark(const std::string& text);

  std::string id_;
  std::uint32_t threads_;
  PluginHost host_;
  const rh_plugin_entry_v1* entry_ = nullptr;
  const rh_engine_factory* factory_ = nullptr;
  bool initialised_ = false;
  EngineReport description_;
  mutable std::mutex mutex_;  // guards
  std::vector<std::string> remarks_;
  std::mutex state_mutex_;  // guards all below
  std::uint32_t watches_ = 0;
  ProcessState before_;  // all of them, where several overlap
};

}  // namespace roundhouse::host
