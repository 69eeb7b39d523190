// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engines/tensor/error.h"

namespace engines {

void require_finite(std::span<const float> values, const std::string& stage, const std::string& what,
                    const std::string& when) {
  const auto bad = std::ranges::count_if(values, [](float v) { return !std::isfinite(v); });
  if (bad == 0) return;
  throw Error(RH_PIPELINE_ERROR, fmt::format("{}: {} of {} values of {} are not finite{}", stage, bad,
                                             values.size(), what, when));
}

std::vector<float> interleaved(std::span<const float> planes) {
  const std::size_t pixels = planes.size() / 3;
  std::vector<float> rgb(3 * pixels);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t i = 0; i < pixels; ++i)
      rgb[3 * i + channel] = std::clamp(planes[channel * pixels + i] * 0.5F + 0.5F, 0.0F, 1.0F);
  }
  return rgb;
}

}  // namespace engines
