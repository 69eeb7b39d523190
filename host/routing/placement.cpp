// SPDX-License-Identifier: Apache-2.0
// Placements and their fallbacks.
#include "host/routing/placement.h"

namespace roundhouse::host {

std::string device_for(const std::string& wanted, const EngineRecord& engine) {
  if (wanted != "auto") return wanted;
  const auto devices = engine.capabilities().find("device");
  if (devices == engine.capabilities().end()) return "cpu";
  for (const std::string& device : devices->second) {
    if (device != "cpu") return device;
  }
  return "cpu";
}

const EngineRecord& placed_engine(const Placement& placement, const Registry& registry) {
  const EngineRecord* record = registry.find(placement.engine);
  if (record == nullptr || !record->manifest) {
    throw Error(RH_INTERNAL, "engine '" + placement.engine + "' is not in the registry");
  }
  return *record;
}

Placement place(PlacementRequest request, const Registry& registry) {
  Placement placement;
  static_cast<PlacementRequest&>(placement) = std::move(request);
  placement.decision = route(placement.route, registry.records());
  if (placement.decision.error) throw RoutingRefusal(std::move(placement.decision));
  placement.engine = placement.decision.engine;
  placement.device = device_for(placement.route.device, placed_engine(placement, registry));
  return placement;
}

std::optional<Error> placement_refusal(const Placement& placement, const Registry& registry) {
  RouteRequest named = placement.route;
  named.engine = placement.engine;
  return route(named, registry.records()).error;
}

std::string place_again(Placement& placement, const Registry& registry, const Error& failure) {
  const bool automatic = !placement.route.engine || *placement.route.engine == "auto";
  if (!automatic) throw failure;
  placement.decision = route(placement.route, registry.records());
  if (placement.decision.error) throw failure;
  const std::string failed = std::exchange(placement.engine, placement.decision.engine);
  placement.device = device_for(placement.route.device, placed_engine(placement, registry));
  return "engine '" + failed + "' cannot be used (" + failure.what() + "); engine '" + placement.engine +
         "' takes its place";
}

}  // namespace roundhouse::host
