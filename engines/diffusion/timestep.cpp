// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/timestep.h"

#include <cmath>

namespace engines {

void timestep_sinusoid(float t, std::span<float> out) {
  const std::size_t half = out.size() / 2;
  const auto rate = static_cast<float>(-std::log(10000.0));
  for (std::size_t i = 0; i < half; ++i) {
    const float frequency = std::exp(rate * static_cast<float>(i) / static_cast<float>(half));
    const float angle = t * frequency;
    out[i] = std::cos(angle);
    out[half + i] = std::sin(angle);
  }
}

}  // namespace engines
