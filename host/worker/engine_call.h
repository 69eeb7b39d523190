// SPDX-License-Identifier: Apache-2.0
// What every call into a plugin's extension needs: options in C's form, the extension itself, its answer.
#pragma once

#include <string>
#include <vector>

#include "host/loading/plugin.h"
#include "host/task/engine_option.h"
#include "host/worker/engine_work.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Options in C's form; borrows from what it was made of.
class OptionRecords {
 public:
  explicit OptionRecords(const std::vector<EngineOption>& options);
  OptionRecords(const OptionRecords&) = delete;
  OptionRecords& operator=(const OptionRecords&) = delete;
  const rh_options* list() const { return &list_; }

 private:
  std::vector<rh_option> items_;
  rh_options list_{};
};

// What an extension's function answered, as an Error unless it is RH_OK.
void check_answer(rh_status status, rh_error& error, const char* function);

// The extension of that id, or CAPABILITY_UNSUPPORTED.
template <typename Extension>
const Extension& extension_of(const Plugin::Engine& engine, const char* id) {
  const auto* extension = static_cast<const Extension*>(engine.extension(id));
  if (extension == nullptr || extension->struct_size < sizeof(Extension)) {
    throw Error(RH_CAPABILITY_UNSUPPORTED, std::string("has no extension ") + id);
  }
  return *extension;
}

inline bool is_cancelled(const Watch& watch) {
  return watch.cancelled->load(std::memory_order_relaxed);
}

// The plugin's call. A cancelled one ends as CANCELLED even when the plugin had just finished or failed.
template <typename PluginCall>
void run_call(const Watch& watch, const char* phase, PluginCall&& plugin_call) {
  try {
    plugin_call();
  } catch (const Error& error) {
    if (is_cancelled(watch)) throw Error(RH_CANCELLED, std::string("cancelled in ") + phase);
    if (error.code() != RH_CANCELLED) throw;
    throw Error(RH_ENGINE_BROKEN, std::string("returned CANCELLED in ") + phase +
                                      " although nobody had cancelled: " + error.what());
  }
  if (is_cancelled(watch)) throw Error(RH_CANCELLED, std::string("cancelled in ") + phase);
}

}  // namespace roundhouse::host
