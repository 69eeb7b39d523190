// SPDX-License-Identifier: Apache-2.0
// What every request says of where its task runs, and what becomes of it in a placement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/registry/registry.h"
#include "host/routing/placement.h"
#include "host/store/model_catalogue.h"
#include "host/task/engine_option.h"

namespace roundhouse::host {

// Absent values are the program's to decide.
struct ModelChoice {
  std::optional<std::string> model, engine;
  std::string device = "auto";
  bool allow_cpu = false;
  std::optional<std::string> weights;    // one that an engine lists; the model option "weights"
  std::uint64_t memory_limit_bytes = 0;  // for the engine's process; 0 = none
  std::vector<EngineOption> engine_options, model_options, options;  // the last for each task
};

// CPU_NOT_ALLOWED for the device cpu without permission.
void check_device(const ModelChoice& choice);

// Throws a RoutingRefusal with ENGINE_NOT_FOUND for an engine that no record names.
void check_engine_name(const ModelChoice& choice, const Registry& registry);

// The engine that was asked for by name and does without a model; else null.
const EngineRecord* modelless_engine(const ModelChoice& choice, const Registry& registry);

// For such an engine: a note on a model that was named all the same. Throws where it is not known.
std::optional<std::string> unused_model_note(const ModelChoice& choice, const EngineRecord& engine,
                                             const ModelCatalogue& models);

// The model's place, and what it asks of engines. Throws what finding and inspecting it throws.
void place_model_files(PlacementRequest& request, const ResolvedModel& model);

// All of the choice but the model.
void place_choice(PlacementRequest& request, const ModelChoice& choice);

// As `place`; where engines run the model for other tasks only, the refusal says for which.
Placement place_task(PlacementRequest request, const Registry& registry);

}  // namespace roundhouse::host
