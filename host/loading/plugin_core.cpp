// SPDX-License-Identifier: Apache-2.0
// The beginning and the end of a plugin.
#include "host/loading/plugin_core.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/loading/descriptor.h"
#include "host/loading/library.h"

namespace roundhouse::host {
namespace {

std::string version_text(std::uint32_t major, std::uint32_t minor) {
  return fmt::format("{}.{}", major, minor);
}

}  // namespace

PluginCore::PluginCore(const EngineManifest& manifest, std::uint32_t threads, PluginLog log)
    : id_(manifest.id), threads_(std::max(threads, 1U)), host_(threads_, std::move(log)) {
  try {
    start(manifest);
  } catch (...) {
    // The destructor does not run for what was never complete.
    if (initialised_) end("deinit", [this] { entry_->deinit(); });
    throw;
  }
}

PluginCore::~PluginCore() {
  end("deinit", [this] { entry_->deinit(); });
}

void PluginCore::start(const EngineManifest& manifest) {
  {
    const std::string loading = "loading";
    const Watch watch(*this, loading);
    entry_ = &load_library(id_, manifest.library);
  }
  const std::uint32_t major = entry_->abi_version >> 16;
  const std::uint32_t minor = entry_->abi_version & 0xffff;
  if (major != manifest.abi_major || minor != manifest.abi_minor) {
    remark("abi: the manifest says " + version_text(manifest.abi_major, manifest.abi_minor) +
           ", the library " + version_text(major, minor) + " (rule " + rule::kManifest + ")");
  }
  ErrorRecord error;
  error.check(id_, "init", call("init", [&] { return entry_->init(host_.record(), error.get()); }));
  initialised_ = true;
  const void* factory = call("get_factory", [&] { return entry_->get_factory(RH_ENGINE_FACTORY_ID); });
  if (factory == nullptr) {
    throw broken(id_, rule::kFactory, "the plugin has no factory " RH_ENGINE_FACTORY_ID);
  }
  factory_ = static_cast<const rh_engine_factory*>(factory);
  check_record(id_, rule::kRecords, "the factory", factory_);
  check_function(id_, rule::kRecords, "the factory's count", factory_->count);
  check_function(id_, rule::kRecords, "the factory's descriptor", factory_->descriptor);
  check_function(id_, rule::kRecords, "the factory's create_engine", factory_->create_engine);
  description_ = describe_engine(id_, *factory_);
}

EngineReport PluginCore::report() const {
  EngineReport report = description_;
  const std::lock_guard lock(mutex_);
  report.remarks = remarks_;
  return report;
}

void PluginCore::begin_watch() {
  const std::lock_guard lock(state_mutex_);
  if (watches_ == 0) before_ = ProcessState::now();
  ++watches_;
}

void PluginCore::end_watch(const std::string& call) noexcept {
  const std::lock_guard lock(state_mutex_);
  --watches_;
  try {
    for (const auto& change : before_.restore())
      remark("changed " + change + " in " + call + " (rule " + rule::kProcess + ")");
  } catch (const std::exception& error) {
    host_.log(RH_LOG_ERROR, "engine", error.what());
  }
}

void PluginCore::remark(const std::string& text) {
  host_.log(RH_LOG_WARNING, "engine", "engine '" + id_ + "' " + text);
  const std::lock_guard lock(mutex_);
  if (std::find(remarks_.begin(), remarks_.end(), text) == remarks_.end()) remarks_.push_back(text);
}

}  // namespace roundhouse::host
