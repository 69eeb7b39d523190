// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <utility>

#include "sdk/conformance/cases.h"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

constexpr const char* unknown_extension = "roundhouse.conformance/0";

void look_at_facts(const rh_facts* list, std::initializer_list<const char*> keys, const std::string& of,
                   Report& report) {
  const std::string problem = problem_of(list);
  report.expect(problem.empty(), "P10", of + ": describe: " + problem);
  for (const std::string key : keys) {
    bool found = false;
    for (const auto& fact : facts_of(list))
      found = found || fact.first == key;
    report.expect(found, "P15", of + ": describe tells no " + key);
  }
}

void look_at_engine(const EngineUse& engine, const std::string& id, Report& report) {
  report.step("engine.describe");
  look_at_facts(engine.get()->describe(engine.get()), {"device", "threads"}, id, report);
  report.step("engine.get_extension");
  report.expect(engine.get()->get_extension(engine.get(), unknown_extension) == nullptr, "P16",
                id + ": the engine answers to an extension that it cannot know");
}

void look_at_model(const ModelUse& model, const Subject& subject, const rh_engine_descriptor& descriptor,
                   Report& report) {
  const std::string id = descriptor.id;
  report.step("model.describe");
  look_at_facts(model.get()->describe(model.get()), {"architecture"}, id, report);
  report.step("model.get_extension");
  report.expect(model.get()->get_extension(model.get(), unknown_extension) == nullptr, "P16",
                id + ": the model answers to an extension that it cannot know");
  constexpr std::pair<const char*, const char*> kTasks[] = {
      {"text-to-image", RH_IMAGE_ID}, {"text-generation", RH_TEXT_ID}, {"embedding", RH_EMBEDDING_ID}};
  for (const auto& [task, extension] : kTasks) {
    if (!promises(subject, descriptor, task)) continue;
    report.expect(model.get()->get_extension(model.get(), extension) != nullptr, "P16",
                  id + ": does " + task + ", but the model has no " + extension);
  }
}

void live_twice(Life& life, const Subject& subject, const rh_engine_descriptor& descriptor) {
  for (int round = 0; round < 2; ++round) {
    const EngineUse engine(life, descriptor);
    look_at_engine(engine, descriptor.id, life.report());
    if (!can_open(subject, descriptor)) continue;
    for (int opening = 0; opening < 2; ++opening) {
      const ModelUse model(life, subject, descriptor, engine.get());
      look_at_model(model, subject, descriptor, life.report());
    }
  }
  const EngineUse first(life, descriptor);
  auto second = std::make_unique<EngineUse>(life, descriptor);
  if (can_open(subject, descriptor)) {
    const ModelUse kept(life, subject, descriptor, first.get());
    auto other = std::make_unique<ModelUse>(life, subject, descriptor, second->get());
    other.reset();
    second.reset();
    look_at_model(kept, subject, descriptor, life.report());
  }
  second.reset();
  look_at_engine(first, descriptor.id, life.report());
}

// An option that no engine can know.
struct UnknownOption {
  rh_option option{sizeof option, RH_OPTION_INTEGER, "conformance-unknown", nullptr, 1, 0};
  rh_options list{sizeof list, 1, &option};
};

void expect_refusal(Report& report, const std::string& rule, rh_status expected, rh_status status,
                    ErrorSlot& error, const std::string& call) {
  report.expect(status == expected, rule, fmt::format("{} returned {}, expected {}", call, status, expected));
  if (status != RH_OK) error.expect_told(report, status, call);
}

void refuse_engines(Life& life, const rh_engine_descriptor& descriptor) {
  Report& report = life.report();
  const std::string device = first_capability(descriptor, "device");
  const UnknownOption unknown;
  struct Attempt {
    const char* rule;
    rh_status expected;
    const char* id;
    const char* device;
    const rh_options* options;
    const char* call;
  };
  const Attempt attempts[] = {{"P13", RH_ENGINE_NOT_FOUND, "conformance-unknown", device.c_str(), nullptr,
                               "create_engine of another id"},
                              {"P13", RH_UNSUPPORTED_DEVICE, descriptor.id, "conformance-unknown", nullptr,
                               "create_engine for a device that is not listed"},
                              {"P14", RH_UNKNOWN_OPTION, descriptor.id, device.c_str(), &unknown.list,
                               "create_engine with an unknown option"}};
  for (const Attempt& attempt : attempts) {
    rh_engine_config config = config_of(attempt.device);
    config.options = attempt.options;
    rh_engine* engine = nullptr;
    ErrorSlot error;
    report.step(attempt.call);
    const rh_status status = life.factory().create_engine(attempt.id, &config, &engine, error.get());
    expect_refusal(report, attempt.rule, attempt.expected, status, error,
                   std::string(descriptor.id) + ": " + attempt.call);
  }
}

void refuse_models(Life& life, const Subject& subject, const rh_engine_descriptor& descriptor) {
  Report& report = life.report();
  const EngineUse engine(life, descriptor);
  auto attempt = [&](const rh_model_source& source, const std::string& call, ErrorSlot& error) {
    rh_model* model = nullptr;
    report.step(call);
    return engine.get()->open_model(engine.get(), &source, &model, error.get());
  };
  if (can_open(subject, descriptor)) {
    const UnknownOption unknown;
    rh_model_source source = source_of(subject, descriptor);
    source.options = &unknown.list;
    ErrorSlot error;
    const std::string call = std::string(descriptor.id) + ": open_model with an unknown option";
    expect_refusal(report, "P14", RH_UNKNOWN_OPTION, attempt(source, call, error), error, call);
  }
  if (!has_capability(descriptor, "feature", "modelless")) {
    rh_model_source source{sizeof source, 0, "/nonexistent/conformance", "Unknown", 0, nullptr, nullptr};
    ErrorSlot error;
    const std::string call = std::string(descriptor.id) + ": open_model of a directory that is not there";
    const rh_status status = attempt(source, call, error);
    error.expect_told(report, status, call);
  }
}

}  // namespace

void check_lifecycle(const Subject& subject, Report& report) {
  Life life(subject, report);
  for (const rh_engine_descriptor* engine : life.descriptors())
    live_twice(life, subject, *engine);
  report.expect(true, "P12", "");
}

void check_refusals(const Subject& subject, Report& report) {
  Life life(subject, report);
  for (const rh_engine_descriptor* engine : life.descriptors()) {
    refuse_engines(life, *engine);
    refuse_models(life, subject, *engine);
  }
}

}  // namespace conformance
