// SPDX-License-Identifier: Apache-2.0
// How fast an engine multiplies on this machine.
#pragma once

#include <map>
#include <string>

namespace roundhouse::host {

struct EngineRates {
  // FLOP/s of products with weights that are stored as that type ("bf16", "q8_0"). Finite and above 0. Empty:
  // the engine does not say.
  std::map<std::string, double> by_weights;
  std::string problem;  // why the engine was asked and did not say; empty: nothing went wrong

  bool operator==(const EngineRates&) const = default;
};

// Two rates that lie closer together are taken for equal: a measurement tells no more.
inline constexpr double kRateMargin = 0.05;

}  // namespace roundhouse::host
