// SPDX-License-Identifier: Apache-2.0
#include "sdk/manifest/described_engine.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "roundhouse/floor.hpp"
#include "roundhouse/roundhouse.h"
#include "sdk/conformance/test_host.h"
#include "sdk/conformance/text.h"

namespace manifest {
namespace {

using roundhouse::reaches_floor;

void require(bool holds, const std::string& why) {
  if (!holds) throw Refused(why);
}

// The computed values are the host's business.
void set_environment(const Json& stated) {
  if (!stated.contains("environment") || !stated["environment"].is_object()) return;
  for (const auto& [name, setting] : stated["environment"].items()) {
    if (setting.is_object() && setting.contains("value") && setting["value"].is_string())
      setenv(name.c_str(), setting["value"].get<std::string>().c_str(), 0);
  }
}

// A plugin from loading to deinit.
class Plugin {
 public:
  explicit Plugin(const std::string& library) {
    void* const opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    const char* const problem = opened == nullptr ? dlerror() : nullptr;
    require(opened != nullptr, problem == nullptr ? "cannot be loaded" : problem);
    entry_ = static_cast<const rh_plugin_entry_v1*>(dlsym(opened, RH_PLUGIN_ENTRY_SYMBOL));
    require(reaches_floor(entry_) && entry_->init != nullptr && entry_->deinit != nullptr &&
                entry_->get_factory != nullptr,
            "the library has no complete " RH_PLUGIN_ENTRY_SYMBOL);
    require(entry_->abi_version >> 16 == RH_ABI_MAJOR, "the plugin speaks ABI " + abi());
    rh_error error{};
    error.struct_size = sizeof error;
    require(entry_->init(host_.record(), &error) == RH_OK, std::string("init: ") + error.message);
  }
  ~Plugin() { entry_->deinit(); }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  std::string abi() const {
    return fmt::format("{}.{}", entry_->abi_version >> 16, entry_->abi_version & 0xFFFFU);
  }

  std::vector<const rh_engine_descriptor*> descriptors() const {
    const auto* const factory =
        static_cast<const rh_engine_factory*>(entry_->get_factory(RH_ENGINE_FACTORY_ID));
    require(reaches_floor(factory) && factory->count != nullptr && factory->descriptor != nullptr,
            "the plugin has no complete factory " RH_ENGINE_FACTORY_ID);
    std::vector<const rh_engine_descriptor*> all;
    for (std::uint32_t i = 0; i < factory->count(); ++i) {
      all.push_back(factory->descriptor(i));
      require(reaches_floor(all.back()) && conformance::is_text(all.back()->id),
              fmt::format("descriptor({}) is NULL, too small or has no id", i));
    }
    return all;
  }

 private:
  conformance::TestHost host_{false};
  const rh_plugin_entry_v1* entry_ = nullptr;
};

const rh_engine_descriptor& chosen(const std::vector<const rh_engine_descriptor*>& all, const Json& stated) {
  if (!stated.contains("id")) {
    require(all.size() == 1,
            fmt::format("the plugin has {} engines: each needs a file with its \"id\"", all.size()));
    return *all.front();
  }
  for (const rh_engine_descriptor* engine : all) {
    if (stated["id"] == engine->id) return *engine;
  }
  throw Refused("id: no engine of the plugin is called " +
                stated["id"].dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json capabilities_of(const rh_engine_descriptor& engine) {
  const std::string problem = conformance::problem_of(engine.capabilities);
  require(problem.empty(), "capabilities: " + problem);
  Json groups = Json::object();
  for (const auto& [group, value] : conformance::facts_of(engine.capabilities))
    groups[group].push_back(value);
  return groups;
}

// Whole numbers are written as such.
Json number(double value) {
  constexpr double kWhole = 1e15;
  if (std::nearbyint(value) == value && std::abs(value) < kWhole) return static_cast<std::int64_t>(value);
  return value;
}

Json limits_of(const rh_engine_descriptor& engine) {
  Json limits = Json::object();
  if (engine.limits == nullptr) return limits;
  require(reaches_floor(engine.limits), "limits: the list is too small");
  for (std::uint32_t i = 0; i < engine.limits->count; ++i) {
    const rh_limit& limit = roundhouse::list_item(engine.limits->items, i);
    require(reaches_floor(&limit) && conformance::is_text(limit.name),
            fmt::format("limits: record {} is too small or has no name", i));
    Json& bound = limits[limit.name];
    bound = {{"min", number(limit.minimum)}, {"max", number(limit.maximum)}};
    if (limit.multiple_of != 0) bound["multiple"] = number(limit.multiple_of);
  }
  return limits;
}

}  // namespace

Json describe_engine(const std::string& library, const Json& stated) {
  set_environment(stated);
  const Plugin plugin(library);
  const rh_engine_descriptor& engine = chosen(plugin.descriptors(), stated);
  constexpr const char* maturities[] = {"", "stable", "experimental", "teaching"};
  require(engine.maturity >= RH_MATURITY_STABLE && engine.maturity <= RH_MATURITY_TEACHING,
          fmt::format("maturity is {}", engine.maturity));
  Json described = {{"schema", 1}, {"id", engine.id}};
  for (const auto& [key, value] :
       {std::pair("name", engine.name), std::pair("version", engine.version),
        std::pair("vendor", engine.vendor), std::pair("description", engine.description)}) {
    require(conformance::is_text(value), std::string(key) + " is NULL, empty or not UTF-8");
    described[key] = value;
  }
  described["abi"] = plugin.abi();
  described["library"] = std::filesystem::path(library).filename().string();
  described["maturity"] = maturities[engine.maturity];
  described["score"] = engine.score;
  described["capabilities"] = capabilities_of(engine);
  if (Json limits = limits_of(engine); !limits.empty()) described["limits"] = std::move(limits);
  return described;
}

}  // namespace manifest
