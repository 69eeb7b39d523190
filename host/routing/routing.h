// SPDX-License-Identifier: Apache-2.0
// Which engine does a request: a pure function of request, engine records and policy.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/registry/registry.h"

namespace roundhouse::host {

struct RouteRequest {
  std::string task = "text-to-image";
  std::optional<std::string> engine;         // explicit: wins or fails; none or "auto" = automatic
  std::optional<std::string> architecture;   // of the model; none = the request needs no model
  std::optional<std::string> weight_format;  // "safetensors"
  std::vector<std::string> dtypes;           // the model's weights are stored in these
  std::vector<std::string> features;         // e.g. "negative-prompt", "guidance"
  std::optional<std::string> sampler, schedule;
  std::optional<std::string> weight_type;  // what most of the weights will be stored as: "bf16", "q8_0"
  std::optional<std::string> weights;      // how an engine is to hold them: "stored", "q8_0"
  // A conversion to that type instead of the task; what the model is, the engine finds out.
  std::optional<std::string> convert;
  std::string device = "auto";
  // Quantities held against the engine's limits: {"width", 1024}. Outside is INVALID_DIMENSION for width and
  // height, else INVALID_ARGUMENT.
  std::vector<std::pair<std::string, double>> quantities;
};

struct Verdict {
  std::string engine;
  bool chosen = false;
  std::optional<Error>
      refusal;  // why it cannot do the request; none for the chosen one and for those that only lost on score
  std::string reason;  // for people: "220 GFLOP/s with bf16 weights, below 410 of onednn"
};

struct Decision {
  std::string engine;             // empty when error is set
  std::vector<Verdict> verdicts;  // one for every record, in the registry's order
  std::optional<Error> error;     // ENGINE_NOT_FOUND, UNSUPPORTED_DEVICE, CAPABILITY_UNSUPPORTED,
                                  // INVALID_DIMENSION, ... of the most specific failure
};

// An explicit engine wins or fails with its own refusal. Automatic: of those that can do the request, on the
// processor, with a rate measured for its weight_type, the fastest; of rates within kRateMargin of that the
// highest score, then the lowest id. Engines without a rate have nothing but their score: the highest goes
// first where it is above all scores of the measured ones. An engine of maturity "teaching" is chosen only
// when named. Engines without the feature "modelless" need an architecture.
Decision route(const RouteRequest& request, const std::vector<EngineRecord>& records);

// What usable engines run models of the architecture for: the tasks that have it in their group
// "architecture.<task>", or in "architecture" where that group is missing. Teaching engines do not count.
std::set<std::string> tasks_of(const std::string& architecture, const std::vector<EngineRecord>& records);

// Whether one engine runs models of the architecture for the task.
bool runs_architecture(const EngineRecord& record, const std::string& task, const std::string& architecture);

// The engines among which automatic routing has a choice for the request; empty when there is none to make.
std::vector<std::string> rivals(const RouteRequest& request, const std::vector<EngineRecord>& records);

}  // namespace roundhouse::host
