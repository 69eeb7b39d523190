// SPDX-License-Identifier: Apache-2.0
#include "engines/architectures/architectures.h"

#include "engines/ovis/architecture.h"
#include "engines/pipeline/shared_components.h"
#include "engines/zimage/architecture.h"

namespace engines {

Architectures architectures() {
  static const std::vector<Architecture> all = {zimage::architecture(), ovis::architecture()};
  return all;
}

std::span<const WeightClass> weight_classes() {
  static const std::vector<WeightClass> all = [] {
    std::vector<WeightClass> classes;
    for (const Architecture& architecture : architectures())
      classes.push_back(architecture.denoiser);
    const auto shared = shared_weight_classes();
    classes.insert(classes.end(), shared.begin(), shared.end());
    return classes;
  }();
  return all;
}

}  // namespace engines
