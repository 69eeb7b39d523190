// SPDX-License-Identifier: Apache-2.0
// The three nested lifetimes. Each keeps its parent alive, so that ends come in the right order whichever
// owner goes first.
#include "host/loading/plugin.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/loading/descriptor.h"
#include "host/loading/image_watch.h"
#include "host/loading/plugin_core.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

using Core = std::shared_ptr<PluginCore>;

// Between create_engine and destroy.
class EngineUse {
 public:
  EngineUse(Core core, rh_engine* engine) : core_(std::move(core)), engine_(engine) {}
  EngineUse(const EngineUse&) = delete;
  EngineUse& operator=(const EngineUse&) = delete;
  ~EngineUse() {
    core_->end("destroy", [this] { engine_->destroy(engine_); });
  }
  PluginCore& core() const { return *core_; }
  rh_engine* get() const { return engine_; }

 private:
  Core core_;
  rh_engine* engine_;
};

// Between open_model and close.
class ModelUse {
 public:
  ModelUse(std::shared_ptr<EngineUse> engine, rh_model* model) : engine_(std::move(engine)), model_(model) {}
  ModelUse(const ModelUse&) = delete;
  ModelUse& operator=(const ModelUse&) = delete;
  ~ModelUse() {
    core().end("close", [this] { model_->close(model_); });
  }
  PluginCore& core() const { return engine_->core(); }
  rh_model* get() const { return model_; }

 private:
  std::shared_ptr<EngineUse> engine_;
  rh_model* model_;
};

std::string chosen_device(const EngineReport& report, const std::string& device) {
  const auto found = report.capabilities.find("device");
  const std::vector<std::string> devices =
      found == report.capabilities.end() ? std::vector<std::string>{} : found->second;
  if (device == "auto" && !devices.empty()) return devices.front();
  if (std::find(devices.begin(), devices.end(), device) != devices.end()) return device;
  throw Error(RH_UNSUPPORTED_DEVICE, "device '" + device + "' is not available with engine '" + report.id +
                                         "', expected one of: auto" +
                                         (devices.empty() ? "" : ", " + joined(devices)));
}

void check_engine(const std::string& id, const rh_engine* engine) {
  if (engine == nullptr) throw broken(id, rule::kRecords, "create_engine returned success without an engine");
  check_record(id, rule::kRecords, "the engine", engine);
  check_function(id, rule::kRecords, "the engine's destroy", engine->destroy);
  check_function(id, rule::kRecords, "the engine's describe", engine->describe);
  check_function(id, rule::kRecords, "the engine's open_model", engine->open_model);
  check_function(id, rule::kRecords, "the engine's get_extension", engine->get_extension);
}

void check_model(const std::string& id, const rh_model* model) {
  if (model == nullptr) throw broken(id, rule::kRecords, "open_model returned success without a model");
  check_record(id, rule::kRecords, "the model", model);
  check_function(id, rule::kRecords, "the model's close", model->close);
  check_function(id, rule::kRecords, "the model's describe", model->describe);
  check_function(id, rule::kRecords, "the model's get_extension", model->get_extension);
}

// Calls that the model says it takes at once; 1 where it says nothing.
std::uint32_t capacity_of(PluginCore& core, rh_model* model) {
  constexpr std::uint32_t most = 1024;
  const void* found =
      core.call("get_extension", [&] { return model->get_extension(model, RH_CONCURRENCY_ID); });
  if (found == nullptr) return 1;
  const auto& concurrency = checked_extension<rh_concurrency>(core.id(), RH_CONCURRENCY_ID, found);
  const std::uint32_t calls = core.call("calls", [&] { return concurrency.calls(model); });
  if (calls >= 1 && calls <= most) return calls;
  throw broken(core.id(), rule::kCalls,
               fmt::format("{}: calls answered {}, expected 1 to {}", RH_CONCURRENCY_ID, calls, most));
}

}  // namespace

struct Plugin::State {
  Core core;
};

struct Plugin::Engine::State {
  std::shared_ptr<EngineUse> use;
};

struct Plugin::Model::State {
  std::unique_ptr<ModelUse> use;
  std::uint32_t capacity = 1;
};

Plugin::Plugin(const EngineManifest& manifest, std::uint32_t threads, PluginLog log)
    : state_(std::make_shared<State>()) {
  state_->core = std::make_shared<PluginCore>(manifest, threads, std::move(log));
}
Plugin::~Plugin() = default;

std::unique_ptr<Plugin::Engine> Plugin::create_engine(const std::string& device, const rh_options* options) {
  PluginCore& core = *state_->core;
  const std::string chosen = chosen_device(core.report(), device);
  const rh_engine_config config{sizeof(rh_engine_config), core.threads(), chosen.c_str(), options};
  rh_engine* engine = nullptr;
  ErrorRecord error;
  error.check(core.id(), "create_engine", core.call("create_engine", [&] {
    return core.factory().create_engine(core.id().c_str(), &config, &engine, error.get());
  }));
  check_engine(core.id(), engine);
  auto use = std::make_shared<EngineUse>(state_->core, engine);
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Engine::State>(Engine::State{std::move(use)})));
}

EngineReport Plugin::report(const Engine* engine) const {
  PluginCore& core = *state_->core;
  std::vector<std::pair<std::string, std::string>> facts;
  if (engine != nullptr) {
    rh_engine* raw = engine->raw();
    const rh_facts* list = core.call("describe", [&] { return raw->describe(raw); });
    facts = read_facts(core.id(), rule::kRecords, "the engine's describe", list);
  }
  EngineReport report = core.report();
  report.facts = std::move(facts);
  return report;
}

Plugin::Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {
}
Plugin::Engine::~Engine() = default;

rh_engine* Plugin::Engine::raw() const {
  return state_->use->get();
}

const std::string& Plugin::Engine::engine_id() const {
  return state_->use->core().id();
}

const void* Plugin::Engine::find_extension(const char* id) const {
  rh_engine* engine = raw();
  return state_->use->core().call("get_extension", [&] { return engine->get_extension(engine, id); });
}

Answer Plugin::Engine::call(const std::string& name,
                            const std::function<rh_status(rh_engine*, rh_error*)>& function) const {
  PluginCore& core = state_->use->core();
  Answer answer(core.id(), name);
  answer.set(core.call(name, [&] { return function(raw(), answer.error()); }));
  return answer;
}

std::unique_ptr<Plugin::Model> Plugin::Engine::open_model(const rh_model_source& source) {
  PluginCore& core = state_->use->core();
  rh_engine* engine = raw();
  rh_model* model = nullptr;
  ErrorRecord error;
  error.check(core.id(), "open_model", core.call("open_model", [&] {
    return engine->open_model(engine, &source, &model, error.get());
  }));
  check_model(core.id(), model);
  auto use = std::make_unique<ModelUse>(state_->use, model);
  const std::uint32_t capacity = capacity_of(core, model);
  return std::unique_ptr<Model>(
      new Model(std::make_unique<Model::State>(Model::State{std::move(use), capacity})));
}

Plugin::Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {
}
Plugin::Model::~Model() = default;

std::vector<std::pair<std::string, std::string>> Plugin::Model::facts() const {
  PluginCore& core = state_->use->core();
  rh_model* model = state_->use->get();
  const rh_facts* list = core.call("describe", [&] { return model->describe(model); });
  return read_facts(core.id(), rule::kRecords, "the model's describe", list);
}

std::uint32_t Plugin::Model::capacity() const {
  return state_->capacity;
}

const std::string& Plugin::Model::engine_id() const {
  return state_->use->core().id();
}

const void* Plugin::Model::find_extension(const char* id, const char* lacks) const {
  PluginCore& core = state_->use->core();
  rh_model* model = state_->use->get();
  const void* found = core.call("get_extension", [&] { return model->get_extension(model, id); });
  if (found != nullptr) return found;
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              fmt::format("engine '{}': this model {} (no {})", core.id(), lacks, id));
}

Answer Plugin::Model::call(const std::string& name,
                           const std::function<rh_status(rh_model*, rh_error*)>& function) const {
  PluginCore& core = state_->use->core();
  Answer answer(core.id(), name);
  answer.set(core.call(name, [&] { return function(state_->use->get(), answer.error()); }));
  return answer;
}

void Plugin::Model::generate(const rh_image_request& request, const rh_image_sink& sink) {
  const auto& image = extension<rh_image>(RH_IMAGE_ID, "makes no images");
  ImageWatch watch(engine_id(), request, sink);
  const Answer answer = call("generate", [&](rh_model* model, rh_error* error) {
    return image.generate(model, &request, watch.sink(), error);
  });
  watch.rethrow_refusal();
  answer.check();
  watch.check_complete();
}

}  // namespace roundhouse::host
