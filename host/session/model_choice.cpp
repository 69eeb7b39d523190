// SPDX-License-Identifier: Apache-2.0
#include "host/session/model_choice.h"

#include <fmt/format.h>

#include "host/store/directory_manifest.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

bool names_engine(const ModelChoice& choice) {
  return choice.engine && *choice.engine != "auto";
}

// What the weights will be stored as, where something else than what they are is asked for. Rates are of
// engines without options.
void place_weight_type(PlacementRequest& request) {
  for (const char* name : {"weights", "dtype_dit"}) {  // the transformer's own goes first
    for (const EngineOption& option : request.model_options) {
      const auto* type = std::get_if<std::string>(&option.value);
      if (option.name == name && type != nullptr && *type != "stored") request.route.weight_type = *type;
    }
  }
  if (!request.engine_options.empty()) request.route.weight_type.reset();
}

}  // namespace

void check_device(const ModelChoice& choice) {
  if (choice.device == "cpu" && !choice.allow_cpu) {
    throw Error(RH_CPU_NOT_ALLOWED, "device 'cpu' was asked for without permission");
  }
}

void check_engine_name(const ModelChoice& choice, const Registry& registry) {
  if (!names_engine(choice)) return;
  RouteRequest named;
  named.engine = choice.engine;
  Decision decision = route(named, registry.records());
  if (decision.error && decision.error->code() == RH_ENGINE_NOT_FOUND) {
    throw RoutingRefusal(std::move(decision));
  }
}

const EngineRecord* modelless_engine(const ModelChoice& choice, const Registry& registry) {
  if (!names_engine(choice)) return nullptr;
  const EngineRecord* record = registry.find(*choice.engine);
  if (record == nullptr || !has_capability(record->capabilities(), "feature", "modelless")) return nullptr;
  // One that can also run models is given the model that was asked for.
  return choice.model && record->capabilities().contains("architecture") ? nullptr : record;
}

std::optional<std::string> unused_model_note(const ModelChoice& choice, const EngineRecord& engine,
                                             const ModelCatalogue& models) {
  if (!choice.model) return std::nullopt;
  models.resolve(*choice.model);  // a name that means nothing is refused all the same
  return fmt::format("model '{}' is not used: engine '{}' needs none", *choice.model, engine.id);
}

void place_model_files(PlacementRequest& request, const ResolvedModel& model) {
  require_present(model);
  if (!model.spec) require_listed_sizes(model.directory);
  const ModelDirectory directory = inspect_model_directory(model.directory);
  if (!model.architecture.empty() && model.architecture != directory.architecture) {
    throw Error(RH_MODEL_INVALID, "model '" + model.name + "' is of architecture '" + directory.architecture +
                                      "', its spec says '" + model.architecture + "'");
  }
  request.model = ModelReference{model.name, directory.architecture, LocalDirectory{directory.path}};
  if (model.stored) request.model->place = *model.stored;
  request.route.architecture = directory.architecture;
  request.route.weight_format = directory.weight_format;
  request.route.dtypes = directory.dtypes;
  if (!directory.main_dtype.empty()) request.route.weight_type = directory.main_dtype;
}

void place_choice(PlacementRequest& request, const ModelChoice& choice) {
  request.engine_options = choice.engine_options;
  request.model_options = choice.model_options;
  request.memory_limit_bytes = choice.memory_limit_bytes;
  if (choice.weights) request.model_options.push_back({"weights", *choice.weights});
  place_weight_type(request);
  request.route.engine = choice.engine;
  request.route.device = choice.device;
  request.route.weights = choice.weights;
}

Placement place_task(PlacementRequest request, const Registry& registry) {
  try {
    return place(request, registry);
  } catch (const RoutingRefusal& refusal) {
    if (refusal.code() != RH_CAPABILITY_UNSUPPORTED || !request.model) throw;
    const auto tasks = tasks_of(request.model->architecture, registry.records());
    if (tasks.empty() || tasks.contains(request.route.task)) throw;
    Decision decision = refusal.decision();
    decision.error = Error(RH_CAPABILITY_UNSUPPORTED,
                           fmt::format("model '{}' ({}) does {}, not {}", request.model->name,
                                       request.model->architecture, joined(tasks), request.route.task));
    throw RoutingRefusal(std::move(decision));
  }
}

}  // namespace roundhouse::host
