// SPDX-License-Identifier: Apache-2.0
// From a request for text to a plan.
#include <nlohmann/json.hpp>

#include "host/session/text_session.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

// Of models that say nothing: lively, without the unlikeliest words.
constexpr double kTemperature = 0.7, kTopP = 0.95;

struct PlannedModel {
  ModelDefaults recipe;
  SamplingDefaults files;
  std::string system_prompt;
};

// Fills the placement request; what the model says for requests that say nothing.
PlannedModel choose_model(PlacementRequest& plan, const ModelChoice& choice, const std::string& task,
                          const Registry& registry, const ModelCatalogue& models,
                          std::vector<std::string>& notes) {
  check_engine_name(choice, registry);
  plan.route.task = task;
  PlannedModel chosen;
  if (const EngineRecord* engine = modelless_engine(choice, registry)) {
    if (auto note = unused_model_note(choice, *engine, models)) notes.push_back(std::move(*note));
  } else {
    if (!choice.model) throw Error(RH_INVALID_ARGUMENT, "model: none was given");
    const ResolvedModel model = models.resolve(*choice.model);
    place_model_files(plan, model);
    chosen.recipe = model.defaults;
    chosen.files = sampling_defaults(model.directory);
    if (model.spec) chosen.system_prompt = model.spec->system_prompt;
  }
  place_choice(plan, choice);
  return chosen;
}

template <typename Value>
Value first_of(std::initializer_list<std::optional<Value>> wishes, Value otherwise) {
  for (const std::optional<Value>& wish : wishes) {
    if (wish) return *wish;
  }
  return otherwise;
}

std::uint32_t count_of(const std::optional<std::int64_t>& asked, std::uint32_t otherwise) {
  return asked ? static_cast<std::uint32_t>(*asked) : otherwise;
}

void plan_sampling(Sampling& sampling, const TextRequest& request, const PlannedModel& model) {
  const SamplingDefaults& files = model.files;
  sampling.temperature =
      first_of({request.temperature, model.recipe.temperature, files.temperature}, kTemperature);
  sampling.top_p = first_of({request.top_p, model.recipe.top_p, files.top_p}, kTopP);
  sampling.min_p = first_of({request.min_p, files.min_p}, 0.0);
  sampling.typical_p = first_of({request.typical_p, files.typical_p}, 1.0);
  sampling.repetition_penalty = first_of({request.repetition_penalty, files.repetition_penalty}, 1.0);
  sampling.top_k = count_of(request.top_k, files.top_k.value_or(0));
  sampling.presence_penalty = request.presence_penalty.value_or(0);
  sampling.frequency_penalty = request.frequency_penalty.value_or(0);
  if (request.repeat_last_n)
    sampling.repeat_last_n =
        *request.repeat_last_n < 0 ? UINT32_MAX : static_cast<std::uint32_t>(*request.repeat_last_n);
  sampling.dry_allowed_length = count_of(request.dry_allowed_length, sampling.dry_allowed_length);
  sampling.dry_multiplier = request.dry_multiplier.value_or(0);
  sampling.dry_base = request.dry_base.value_or(sampling.dry_base);
  sampling.mirostat_tau = request.mirostat_tau.value_or(0);
  sampling.mirostat_eta = request.mirostat_eta.value_or(sampling.mirostat_eta);
  sampling.biases = request.biases;
}

std::string with_system_prompt(const std::string& messages, const std::string& system) {
  auto list = nlohmann::ordered_json::parse(messages);
  const auto& first = list.front().at("role");
  if (system.empty() || first == "system" || first == "developer") return messages;
  list.insert(list.begin(), nlohmann::ordered_json{{"role", "system"}, {"content", system}});
  return json_text(list);
}

// The recipe's wish where the request has none.
std::optional<std::string> with_thinking(const std::optional<std::string>& variables,
                                         std::optional<bool> think) {
  if (!think) return variables;
  auto object = nlohmann::ordered_json::parse(variables.value_or("{}"));
  if (!object.contains("enable_thinking")) object["enable_thinking"] = *think;
  return json_text(object);
}

void plan_text(TextTask& job, const TextRequest& request, const PlannedModel& model) {
  if (request.messages) {
    job.messages = request.own_system_prompt ? with_system_prompt(*request.messages, model.system_prompt)
                                             : *request.messages;
  }
  job.prompt = request.prompt.value_or("");
  job.tools = request.tools;
  job.response_format = request.response_format;
  job.template_variables = with_thinking(request.template_variables, model.recipe.think);
  plan_sampling(job.sampling, request, model);
  job.stops = request.stops ? *request.stops : model.recipe.stop;
  job.max_tokens =
      count_of(request.max_tokens, model.recipe.max_tokens.value_or(model.files.max_tokens.value_or(0)));
  job.window = count_of(request.window, model.recipe.context.value_or(0));
  job.shift = request.shift;
  job.keep_tokens = static_cast<std::uint32_t>(request.keep_tokens);
  job.tokens = request.tokens || request.top_logprobs > 0;
  job.top_logprobs = static_cast<std::uint32_t>(request.top_logprobs);
  job.options = request.options;
}

}  // namespace

TextPlan make_text_plan(const TextRequest& request, const Registry& registry, const ModelCatalogue& models,
                        const std::function<std::uint64_t()>& random_seed) {
  check_text_values(request);
  TextPlan plan;
  const PlannedModel model = choose_model(plan, request, "text-generation", registry, models, plan.notes);
  plan_text(plan.job, request, model);
  const bool random = request.seed.value_or(-1) == -1;
  plan.job.sampling.seed = (random ? random_seed() : static_cast<std::uint64_t>(*request.seed)) & INT64_MAX;
  static_cast<Placement&>(plan) = place_task(plan, registry);
  return plan;
}

EmbedPlan make_embed_plan(const EmbedRequest& request, const Registry& registry,
                          const ModelCatalogue& models) {
  check_embed_values(request);
  EmbedPlan plan;
  choose_model(plan, request, "embedding", registry, models, plan.notes);
  plan.job.texts = request.texts;
  plan.job.dimensions = count_of(request.dimensions, 0);
  plan.job.truncate = request.truncate;
  plan.job.normalise = request.normalise;
  plan.job.options = request.options;
  static_cast<Placement&>(plan) = place_task(plan, registry);
  return plan;
}

Placement place_text_model(const ModelChoice& choice, const std::string& task, const Registry& registry,
                           const ModelCatalogue& models) {
  check_device(choice);
  PlacementRequest request;
  std::vector<std::string> notes;
  choose_model(request, choice, task, registry, models, notes);
  return place_task(std::move(request), registry);
}

}  // namespace roundhouse::host
