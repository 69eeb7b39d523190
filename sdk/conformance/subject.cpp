// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/subject.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "roundhouse/floor.hpp"
#include "roundhouse/status.hpp"
#include "sdk/conformance/text.h"

namespace conformance {

using roundhouse::floor_size;
using roundhouse::reaches_floor;

std::string ErrorSlot::message() {
  const char* text = record_->message;
  return {text, strnlen(text, sizeof record_->message)};
}

void ErrorSlot::expect_told(Report& report, rh_status status, const std::string& call) {
  report.expect(status != RH_OK && roundhouse::is_known(status), "P17",
                fmt::format("{} returned {}, expected a code of the catalogue", call, status));
  report.expect(record_->code == status, "P17",
                fmt::format("{} returned {} and wrote code {}", call, status, record_->code));
  const std::string text = message();
  report.expect(!text.empty() && text.size() < sizeof record_->message && is_utf8(text), "P17",
                call + " failed without a message that is UTF-8 and ends with NUL");
}

Life::Life(const Subject& subject, Report& report, bool newer_host)
    : report_(report), newer_(newer_host), host_(newer_host) {
  for (const auto& [name, value] : subject.environment)
    setenv(name.c_str(), value.c_str(), 0);
  before_ = ProcessState::now();
  threads_before_ = thread_count();

  report.step("loading");
  void* library = dlopen(subject.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* problem = library == nullptr ? dlerror() : "";
  report.require(library != nullptr, "P4", problem == nullptr ? "cannot be loaded" : problem);
  for (const std::string& change : ProcessState::now().changes_since(before_)) {
    report.expect(false, "P3", "loading changed " + change);
  }
  report.expect(thread_count() == threads_before_, "P3", "loading started a thread");

  entry_ = static_cast<const rh_plugin_entry_v1*>(dlsym(library, RH_PLUGIN_ENTRY_SYMBOL));
  report.require(entry_ != nullptr, "P1", "there is no symbol " RH_PLUGIN_ENTRY_SYMBOL);
  report.require(reaches_floor(entry_), "P2",
                 fmt::format("the entry's struct_size is {}, expected at least {}", entry_->struct_size,
                             floor_size<rh_plugin_entry_v1>));
  report.require(entry_->abi_version >> 16 == RH_ABI_MAJOR, "P2",
                 fmt::format("the plugin speaks ABI {}.{}, this checker speaks {}", entry_->abi_version >> 16,
                             entry_->abi_version & 0xFFFFU, RH_ABI_MAJOR));
  const bool complete =
      entry_->init != nullptr && entry_->deinit != nullptr && entry_->get_factory != nullptr;
  report.require(complete, "P2", "init, deinit or get_factory is NULL");

  report.step("init");
  ErrorSlot error(newer_);
  const rh_status status = entry_->init(host_.record(), error.get());
  report.require(status == RH_OK, newer_ ? "P11" : "P12", "init failed: " + error.message());
  report.step("get_factory");
  factory_ = static_cast<const rh_engine_factory*>(entry_->get_factory(RH_ENGINE_FACTORY_ID));
  report.require(factory_ != nullptr, "P5", "there is no factory " RH_ENGINE_FACTORY_ID);
  report.require(reaches_floor(factory_) && factory_->count != nullptr && factory_->descriptor != nullptr &&
                     factory_->create_engine != nullptr,
                 "P10", "the factory is too small or has a NULL function");
}

Life::~Life() {
  if (factory_ == nullptr) return;
  report_.step("deinit");
  entry_->deinit();
  for (const std::string& change : ProcessState::now().changes_since(before_)) {
    report_.expect(false, "P29", "the plugin changed " + change);
  }
  report_.expect(true, "P29", "");
  const int left = settled_thread_count(threads_before_) - threads_before_;
  report_.expect(left <= 0, "P30", fmt::format("{} threads are left after deinit", left));
}

std::vector<const rh_engine_descriptor*> Life::descriptors() const {
  std::vector<const rh_engine_descriptor*> all;
  report_.step("descriptor");
  for (std::uint32_t i = 0; i < factory_->count(); ++i) {
    const rh_engine_descriptor* descriptor = factory_->descriptor(i);
    report_.require(descriptor != nullptr, "P6", fmt::format("descriptor({}) is NULL", i));
    report_.require(reaches_floor(descriptor) && descriptor->id != nullptr, "P10",
                    fmt::format("descriptor({}) is too small or has no id", i));
    all.push_back(descriptor);
  }
  return all;
}

bool has_capability(const rh_engine_descriptor& engine, const std::string& group, const std::string& value) {
  for (const auto& [key, found] : facts_of(engine.capabilities)) {
    if (key == group && found == value) return true;
  }
  return false;
}

std::string first_capability(const rh_engine_descriptor& engine, const std::string& group) {
  for (const auto& [key, value] : facts_of(engine.capabilities)) {
    if (key == group) return value;
  }
  return {};
}

std::optional<rh_limit> limit_of(const rh_engine_descriptor& engine, const std::string& name) {
  if (!reaches_floor(engine.limits)) return std::nullopt;
  for (std::uint32_t i = 0; i < engine.limits->count; ++i) {
    const rh_limit& limit = roundhouse::list_item(engine.limits->items, i);
    if (limit.name != nullptr && limit.name == name) return limit;
  }
  return std::nullopt;
}

EngineUse::EngineUse(Life& life, const rh_engine_descriptor& descriptor) : report_(life.report()) {
  const std::string device = first_capability(descriptor, "device");
  HostRecord<rh_engine_config> config(config_of(device.c_str()), life.newer());
  ErrorSlot error(life.newer());
  report_.step("create_engine");
  const rh_status status = life.factory().create_engine(descriptor.id, config.get(), &engine_, error.get());
  report_.require(status == RH_OK, life.newer() ? "P11" : "P12",
                  std::string(descriptor.id) + ": create_engine failed: " + error.message());
  const bool complete = reaches_floor(engine_) && engine_->destroy != nullptr &&
                        engine_->describe != nullptr && engine_->open_model != nullptr &&
                        engine_->get_extension != nullptr;
  report_.require(complete, "P10",
                  std::string(descriptor.id) + ": the engine is NULL, too small or has a NULL function");
}

EngineUse::~EngineUse() {
  report_.step("engine.destroy");
  engine_->destroy(engine_);
}

ModelUse::ModelUse(Life& life, const Subject& subject, const rh_engine_descriptor& descriptor,
                   rh_engine* engine)
    : report_(life.report()) {
  HostRecord<rh_model_source> source(source_of(subject, descriptor), life.newer());
  ErrorSlot error(life.newer());
  report_.step("open_model");
  const rh_status status = engine->open_model(engine, source.get(), &model_, error.get());
  report_.require(status == RH_OK, life.newer() ? "P11" : "P12",
                  std::string(descriptor.id) + ": open_model failed: " + error.message());
  const bool complete = reaches_floor(model_) && model_->close != nullptr && model_->describe != nullptr &&
                        model_->get_extension != nullptr;
  report_.require(complete, "P10",
                  std::string(descriptor.id) + ": the model is NULL, too small or has a NULL function");
}

ModelUse::~ModelUse() {
  report_.step("model.close");
  model_->close(model_);
}

bool can_open(const Subject& subject, const rh_engine_descriptor& descriptor) {
  return !subject.model_directory.empty() || has_capability(descriptor, "feature", "modelless");
}

bool promises(const Subject& subject, const rh_engine_descriptor& descriptor, const std::string& task) {
  if (!has_capability(descriptor, "task", task)) return false;
  const std::string own = "architecture." + task;
  if (has_capability(descriptor, "feature", "modelless") || first_capability(descriptor, own).empty())
    return true;
  return has_capability(descriptor, own, subject.architecture);
}

rh_model_source source_of(const Subject& subject, const rh_engine_descriptor& descriptor) {
  rh_model_source source{sizeof source, 0, nullptr, nullptr, 0, nullptr, nullptr};
  if (!has_capability(descriptor, "feature", "modelless")) {
    source.directory = subject.model_directory.c_str();
    source.architecture = subject.architecture.c_str();
  }
  return source;
}

rh_engine_config config_of(const char* device) {
  return {sizeof(rh_engine_config), TestHost::thread_budget, device, nullptr};
}

}  // namespace conformance
