// SPDX-License-Identifier: Apache-2.0
#include "engines/text/rotary.h"

#include <cassert>
#include <cmath>

namespace engines {

void rotary_row(double position, double theta, std::span<float> cos, std::span<float> sin) {
  assert(cos.size() == sin.size());
  const auto pairs = static_cast<double>(cos.size());
  for (std::size_t i = 0; i < cos.size(); ++i) {
    const double frequency = 1.0 / std::pow(theta, static_cast<double>(i) / pairs);
    const auto angle = static_cast<float>(position * frequency);
    cos[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
    sin[i] = static_cast<float>(std::sin(static_cast<double>(angle)));
  }
}

}  // namespace engines
