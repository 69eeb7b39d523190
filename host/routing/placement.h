// SPDX-License-Identifier: Apache-2.0
// Where a task runs: an engine on a device with a model. Routing makes it, and makes it again when the engine
// turns out to be of no use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/routing/routing.h"
#include "host/task/engine_option.h"
#include "host/task/model_reference.h"

namespace roundhouse::host {

// What is to be placed.
struct PlacementRequest {
  RouteRequest route;  // what is asked of engines
  // Handed on as they are.
  std::optional<ModelReference> model;   // none: the engine needs none
  std::uint64_t memory_limit_bytes = 0;  // for the engine's process; 0 = none
  std::vector<EngineOption> engine_options, model_options;
};

struct Placement : PlacementRequest {
  std::string engine, device;
  Decision decision;
};

// What routing refused, with what it says of each engine.
class RoutingRefusal : public Error {
 public:
  // `decision.error` is set.
  explicit RoutingRefusal(Decision decision) : Error(*decision.error), decision_(std::move(decision)) {}
  const Decision& decision() const noexcept { return decision_; }

 private:
  Decision decision_;
};

// Throws a RoutingRefusal. Starts nothing.
Placement place(PlacementRequest request, const Registry& registry);

// The usable record of the placement's engine. Throws INTERNAL when the registry has none.
const EngineRecord& placed_engine(const Placement& placement, const Registry& registry);

// Why the engine cannot do what was asked, by what the registry knows now; none when it can.
std::optional<Error> placement_refusal(const Placement& placement, const Registry& registry);

// With automatic routing the next best engine takes the place of one that the registry knows to be out;
// returns a note that says so. Throws `failure` for an explicit engine, and when there is no other.
std::string place_again(Placement& placement, const Registry& registry, const Error& failure);

// `wanted`, or for "auto" the engine's first device that is not the processor, else "cpu".
std::string device_for(const std::string& wanted, const EngineRecord& engine);

}  // namespace roundhouse::host
