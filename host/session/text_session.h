// SPDX-License-Identifier: Apache-2.0
// Texts and embeddings, from a request to a plan: as session.h does for images. text_runner.h and embedder.h
// carry plans out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/session/model_choice.h"
#include "host/task/embed_task.h"
#include "host/task/text_task.h"

namespace roundhouse::host {

// What a person or a client asks for; absent values come from the model's defaults (its recipe, then its
// generation_config.json), then the program's.
struct TextRequest : ModelChoice {
  // A JSON array of messages; or a prompt that goes to the tokenizer as it is.
  std::optional<std::string> messages, prompt;
  bool own_system_prompt = true;  // the recipe's goes before messages that begin with none
  std::optional<std::string> tools, response_format, template_variables;  // JSON, as in TextTask
  std::optional<double> temperature, top_p, min_p, typical_p, repetition_penalty, presence_penalty,
      frequency_penalty, dry_multiplier, dry_base, mirostat_tau, mirostat_eta;
  std::optional<std::int64_t> top_k, repeat_last_n, dry_allowed_length;  // repeat_last_n -1 = all
  std::optional<std::int64_t> seed;                                      // absent or -1 = random
  std::optional<std::int64_t> max_tokens;  // absent: the model's, else as the window allows
  std::optional<std::int64_t> window;
  std::optional<std::vector<std::string>> stops;
  bool shift = false;
  std::int64_t keep_tokens = 0;
  bool tokens = false;
  std::int64_t top_logprobs = 0;
  std::vector<std::pair<std::int32_t, float>> biases;
};

// A request in which every value is decided and checked.
struct TextPlan : Placement {
  TextTask job;
  std::vector<std::string> notes;
};

// Checks everything that can be refused before an engine starts: values, names, model, routing (a
// RoutingRefusal). Starts nothing, writes nothing. `random_seed` gives the seed when none was asked for.
TextPlan make_text_plan(const TextRequest& request, const Registry& registry, const ModelCatalogue& models,
                        const std::function<std::uint64_t()>& random_seed);

struct EmbedRequest : ModelChoice {
  std::vector<std::string> texts;
  std::optional<std::int64_t> dimensions;
  bool truncate = false;
  bool normalise = true;
};
struct EmbedPlan : Placement {
  EmbedTask job;
  std::vector<std::string> notes;
};
EmbedPlan make_embed_plan(const EmbedRequest& request, const Registry& registry,
                          const ModelCatalogue& models);

// The placement alone, for who wants the model loaded for that task ("text-generation", "embedding").
Placement place_text_model(const ModelChoice& choice, const std::string& task, const Registry& registry,
                           const ModelCatalogue& models);

// The checks that need to know neither model nor engine (rule H19 of CONTRACT.md). Throw INVALID_ARGUMENT
// naming field, value and expectation.
void check_text_values(const TextRequest& request);
void check_embed_values(const EmbedRequest& request);

// What a model wants where a request says nothing, from its generation_config.json; nothing where it has
// none. Throws MODEL_INVALID for a damaged one.
struct SamplingDefaults {
  std::optional<double> temperature, top_p, min_p, typical_p, repetition_penalty;
  std::optional<std::uint32_t> top_k, max_tokens;
  std::vector<std::int32_t> end_tokens;  // that end an answer
};
SamplingDefaults sampling_defaults(const std::filesystem::path& directory);

}  // namespace roundhouse::host
