// SPDX-License-Identifier: Apache-2.0
// From a request to a plan: everything that can be refused before an engine starts is refused here.
#include <algorithm>
#include <cmath>

#include "host/session/init_image.h"
#include "host/session/model_choice.h"
#include "host/session/session.h"
#include "host/session/size.h"
#include "host/session/values.h"

namespace roundhouse::host {
namespace {

constexpr std::uint32_t kSteps = 8;
constexpr std::uint32_t kSide = 1024;
constexpr std::uint32_t kModellessSide = 512;
constexpr double kStrength = 0.6, kInpaintStrength = 1;  // diffusers' for Z-Image

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

// What is drawn where no size was asked for.
Size usual_size(const GenerateRequest& request, const Size& usual, const SizeLimits& limits) {
  return request.init ? size_of_init(*request.init, limits) : usual;
}

void plan_without_model(GeneratePlan& plan, const GenerateRequest& request, const EngineRecord& engine,
                        const ModelCatalogue& models) {
  if (auto note = unused_model_note(request, engine, models)) plan.notes.push_back(std::move(*note));
  const SizeLimits limits = engine_sizes(engine);
  const auto side = std::clamp(kModellessSide, limits.minimum, std::max(limits.minimum, limits.maximum));
  set_size(plan, requested_size(request, usual_size(request, {side, side}, limits), limits,
                                "engine '" + engine.id + "'"));
}

ModelDefaults plan_model(GeneratePlan& plan, const GenerateRequest& request, const ModelCatalogue& models) {
  const ResolvedModel model = models.resolve(request.model.value_or(ModelCatalogue::kDefaultModel));
  const Size usual{model.defaults.width.value_or(kSide), model.defaults.height.value_or(kSide)};
  set_size(plan, requested_size(request, usual_size(request, usual, model.size), model.size,
                                "model '" + model.name + "'"));
  place_model_files(plan, model);
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

void plan_job(GeneratePlan& plan, const GenerateRequest& request, const ModelDefaults& defaults) {
  ImageTask& job = plan.job;
  job.steps = request.steps ? static_cast<std::uint32_t>(*request.steps) : defaults.steps.value_or(kSteps);
  plan_guidance(plan, request, defaults);
  job.sampler = request.sampler ? request.sampler : defaults.sampler;
  job.schedule = request.schedule ? request.schedule : defaults.schedule;
  plan.images = static_cast<std::uint32_t>(request.images);
  job.refuse_long_prompt = request.refuse_long_prompt;
  job.options = request.options;
  if (request.init) plan.route.features.emplace_back("image-to-image");
  if (request.init && request.init->mask) plan.route.features.emplace_back("inpaint");
  place_choice(plan, request);
  plan.route.sampler = job.sampler;
  plan.route.schedule = job.schedule;
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
  static_cast<Placement&>(plan) = place_task(plan, registry);
  if (request.init) {
    const double strength = request.strength.value_or(request.init->mask ? kInpaintStrength : kStrength);
    plan.job.init = fitted(*request.init, {plan.job.width, plan.job.height}, strength, plan.notes);
  }
  return plan;
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
  static_cast<ModelChoice&>(model) = request;
  model.options.clear();
  check_device(model);
  return place_task(draft(model, registry, models), registry);
}

}  // namespace roundhouse::host
