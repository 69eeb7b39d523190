// SPDX-License-Identifier: Apache-2.0
// From a request to a plan: everything that can be refused before an engine starts is refused here.
#include <algorithm>
#include <cmath>

#include "host/session/session.h"
#include "host/session/size.h"
#include "host/session/values.h"
#include "host/store/directory_manifest.h"

namespace roundhouse::host {
namespace {

constexpr std::uint32_t kSteps = 8;
constexpr std::uint32_t kSide = 1024;
constexpr std::uint32_t kModellessSide = 512;

bool is_explicit(const GenerateRequest& request) {
  return request.engine && *request.engine != "auto";
}

// Throws ENGINE_NOT_FOUND for an engine that no record names.
void check_engine_name(const GenerateRequest& request, const Registry& registry) {
  if (!is_explicit(request)) return;
  RouteRequest named;
  named.engine = request.engine;
  Decision decision = route(named, registry.records());
  if (decision.error && decision.error->code() == RH_ENGINE_NOT_FOUND) {
    throw RoutingRefusal(std::move(decision));
  }
}

// The engine that was asked for by name and does without a model; else null.
const EngineRecord* modelless_engine(const GenerateRequest& request, const Registry& registry) {
  if (!is_explicit(request)) return nullptr;
  const EngineRecord* record = registry.find(*request.engine);
  if (record == nullptr || !has_capability(record->capabilities(), "feature", "modelless")) return nullptr;
  // One that can also run models is given the model that was asked for.
  return request.model && record->capabilities().contains("architecture") ? nullptr : record;
}

// The bounds of an engine on the sides of an image, where it states any.
SizeLimits engine_sizes(const EngineRecord& engine) {
  SizeLimits sizes{1, 16384, 1};
  const auto width = engine.limits().find("width");
  if (width == engine.limits().end()) return sizes;
  const auto side = [](double value) { return static_cast<std::uint32_t>(std::clamp(value, 1.0, 16384.0)); };
  sizes.minimum = side(std::ceil(width->second.minimum));
  sizes.maximum = side(width->second.maximum);
  sizes.multiple_of = side(width->second.multiple_of);
  return sizes;
}

void set_size(GeneratePlan& plan, const Size& size) {
  plan.job.width = size.width;
  plan.job.height = size.height;
  plan.route.quantities.emplace_back("width", size.width);
  plan.route.quantities.emplace_back("height", size.height);
}

void plan_without_model(GeneratePlan& plan, const GenerateRequest& request, const EngineRecord& engine,
                        const ModelCatalogue& models) {
  if (request.model) {
    models.resolve(*request.model);  // a name that means nothing is refused all the same
    plan.notes.push_back("model '" + *request.model + "' is not used: engine '" + engine.id + "' needs none");
  }
  const SizeLimits limits = engine_sizes(engine);
  const auto side = std::clamp(kModellessSide, limits.minimum, std::max(limits.minimum, limits.maximum));
  set_size(plan, requested_size(request, {side, side}, limits, "engine '" + engine.id + "'"));
}

ModelDefaults plan_model(GeneratePlan& plan, const GenerateRequest& request, const ModelCatalogue& models) {
  const ResolvedModel model = models.resolve(request.model.value_or(ModelCatalogue::kDefaultModel));
  const Size usual{model.defaults.width.value_or(kSide), model.defaults.height.value_or(kSide)};
  set_size(plan, requested_size(request, usual, model.size, "model '" + model.name + "'"));

  require_present(model);
  if (!model.spec) require_listed_sizes(model.directory);
  const ModelDirectory directory = inspect_model_directory(model.directory);
  if (!model.architecture.empty() && model.architecture != directory.architecture) {
    throw Error(RH_MODEL_INVALID, "model '" + model.name + "' is of architecture '" + directory.architecture +
                                      "', its spec says '" + model.architecture + "'");
  }
  plan.model = ModelReference{model.name, directory.architecture, LocalDirectory{directory.path}};
  if (model.stored) plan.model->place = *model.stored;
  plan.route.architecture = directory.architecture;
  plan.route.weight_format = directory.weight_format;
  plan.route.dtypes = directory.dtypes;
  if (!directory.main_dtype.empty()) plan.route.weight_type = directory.main_dtype;
  return model.defaults;
}

// Guidance and all that has a meaning only with it.
void plan_guidance(GeneratePlan& plan, const GenerateRequest& request, const ModelDefaults& defaults) {
  ImageTask& job = plan.job;
  job.guidance = request.guidance.value_or(defaults.guidance.value_or(0));
  const auto normalization = request.cfg_normalization.value_or(defaults.cfg_normalization.value_or(0));
  const auto truncation = request.cfg_truncation.value_or(defaults.cfg_truncation.value_or(1));
  const auto negative = request.negative_prompt ? request.negative_prompt : defaults.negative_prompt;
  const auto no_effect = [&](bool asked, const char* what) {
    if (asked) plan.notes.push_back(std::string(what) + " has no effect without guidance");
  };
  if (job.guidance == 0) {
    no_effect(request.negative_prompt && !request.negative_prompt->empty(), "negative prompt");
    no_effect(request.cfg_normalization.value_or(0) > 0, "cfg normalization");
    no_effect(request.cfg_truncation.value_or(1) < 1, "cfg truncation");
    return;
  }
  const auto use = [&](bool used, const char* feature) {
    if (used) plan.route.features.emplace_back(feature);
  };
  if (negative && !negative->empty()) job.negative_prompt = negative;
  job.cfg_normalization = normalization;
  job.cfg_truncation = truncation;
  use(true, "guidance");
  use(job.negative_prompt.has_value(), "negative-prompt");
  use(normalization > 0, "cfg-normalization");
  use(truncation < 1, "cfg-truncation");
}

// What the weights will be stored as, where something else than what they are is asked for. Rates are of
// engines without options.
void plan_weight_type(GeneratePlan& plan) {
  for (const char* name : {"weights", "dtype_dit"}) {  // the transformer's own goes first
    for (const EngineOption& option : plan.model_options) {
      const auto* type = std::get_if<std::string>(&option.value);
      if (option.name == name && type != nullptr && *type != "stored") plan.route.weight_type = *type;
    }
  }
  if (!plan.engine_options.empty()) plan.route.weight_type.reset();
}

void plan_job(GeneratePlan& plan, const GenerateRequest& request, const ModelDefaults& defaults) {
  ImageTask& job = plan.job;
  job.steps = request.steps ? static_cast<std::uint32_t>(*request.steps) : defaults.steps.value_or(kSteps);
  plan_guidance(plan, request, defaults);
  job.sampler = request.sampler ? request.sampler : defaults.sampler;
  job.schedule = request.schedule ? request.schedule : defaults.schedule;
  plan.images = static_cast<std::uint32_t>(request.images);
  job.refuse_long_prompt = request.refuse_long_prompt;
  job.options = request.options;
  plan.engine_options = request.engine_options;
  plan.model_options = request.model_options;
  plan.memory_limit_bytes = request.memory_limit_bytes;
  if (request.weights) plan.model_options.push_back({"weights", *request.weights});
  plan_weight_type(plan);

  plan.route.engine = request.engine;
  plan.route.device = request.device;
  plan.route.sampler = job.sampler;
  plan.route.schedule = job.schedule;
  plan.route.weights = request.weights;
  plan.route.quantities.emplace_back("steps", job.steps);
  plan.route.quantities.emplace_back("guidance", job.guidance);
}

// All of a plan but its prompt, its seed and its place.
GeneratePlan draft(const GenerateRequest& request, const Registry& registry, const ModelCatalogue& models) {
  check_engine_name(request, registry);
  GeneratePlan plan;
  ModelDefaults defaults;
  if (const EngineRecord* engine = modelless_engine(request, registry)) {
    plan_without_model(plan, request, *engine, models);
  } else {
    defaults = plan_model(plan, request, models);
  }
  plan_job(plan, request, defaults);
  return plan;
}

// The same with its prompt, and every value checked.
GeneratePlan checked_draft(const GenerateRequest& request, const Registry& registry,
                           const ModelCatalogue& models) {
  check_values(request);
  GeneratePlan plan = draft(request, registry, models);
  plan.job.prompt = request.prompt;
  plan.route.quantities.emplace_back("prompt-bytes", request.prompt.size());
  return plan;
}

}  // namespace

GeneratePlan make_plan(const GenerateRequest& request, const Registry& registry, const ModelCatalogue& models,
                       const std::function<std::uint64_t()>& random_seed) {
  GeneratePlan plan = checked_draft(request, registry, models);
  const bool random = request.seed.value_or(-1) == -1;
  plan.job.seed = (random ? random_seed() : static_cast<std::uint64_t>(*request.seed)) & INT64_MAX;
  static_cast<Placement&>(plan) = place(plan, registry);
  return plan;
}

Placement place_images(const GenerateRequest& request, const Registry& registry, const ModelCatalogue& models,
                       const std::vector<std::string>& features) {
  GeneratePlan plan = checked_draft(request, registry, models);
  plan.route.features.insert(plan.route.features.end(), features.begin(), features.end());
  return place(plan, registry);
}

std::uint32_t usual_steps(const GenerateRequest& request, const Registry& registry,
                          const ModelCatalogue& models) {
  GenerateRequest silent = request;
  silent.steps.reset();
  return draft(silent, registry, models).job.steps;
}

Placement place_model(const GenerateRequest& request, const Registry& registry,
                      const ModelCatalogue& models) {
  GenerateRequest model;  // what is not of an image
  model.model = request.model;
  model.engine = request.engine;
  model.device = request.device;
  model.allow_cpu = request.allow_cpu;
  model.weights = request.weights;
  model.memory_limit_bytes = request.memory_limit_bytes;
  model.engine_options = request.engine_options;
  model.model_options = request.model_options;
  check_device(model);
  return place(draft(model, registry, models), registry);
}

}  // namespace roundhouse::host
