// SPDX-License-Identifier: Apache-2.0
// Group norm (Wu and He 2018) over groups of neighbouring planes, with an optional SiLU behind it.
#include <cmath>
#include <span>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {

void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                float eps, bool with_silu) {
  const std::int64_t channels = x.channels / groups;
  const std::int64_t plane = x.plane_size();
  const double count = static_cast<double>(channels * plane);
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t first = group * channels;
    const std::span<const float> values(x.plane(first), static_cast<std::size_t>(channels * plane));
    double sum = 0;
    for (const float value : values)
      sum += value;
    const double mean = sum / count;
    double squares = 0;
    for (const float value : values)
      squares += (value - mean) * (value - mean);
    const double factor = 1 / std::sqrt(squares / count + eps);
    for (std::int64_t channel = first; channel < first + channels; ++channel) {
      for (std::int64_t p = 0; p < plane; ++p) {
        const double normed = (x.plane(channel)[p] - mean) * factor * weight[channel] + bias[channel];
        y.plane(channel)[p] = static_cast<float>(with_silu ? silu(normed) : normed);
      }
    }
  }
}

void add_moments(Moments* moments, ConstPlanes x) {
  for (std::int64_t c = 0; c < x.channels; ++c) {
    for (std::int64_t i = 0; i < x.height; ++i) {
      const std::span<const float> row(x.row(c, i), static_cast<std::size_t>(x.width));
      Moments of_row{.count = static_cast<double>(x.width)};
      for (const float value : row)
        of_row.mean += value / of_row.count;
      for (const float value : row)
        of_row.squares += (value - of_row.mean) * (value - of_row.mean);
      moments[c].merge(of_row);
    }
  }
}

}  // namespace engines::reference
