// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/guidance.h"

#include <cassert>
#include <cmath>

namespace engines {
namespace {

double norm(std::span<const float> values) {
  double sum = 0;
  for (const float v : values)
    sum += static_cast<double>(v) * v;
  return std::sqrt(sum);
}

}  // namespace

// t is a float and the truncation a double there too, so that t = 0.4F exceeds a truncation of 0.4.
bool Guidance::applies_at(float t) const {
  const bool truncated = truncation <= 1 && static_cast<double>(t) > truncation;
  return scale > 0 && !truncated;
}

void guide(const Guidance& guidance, std::span<const float> positive, std::span<const float> negative,
           std::span<float> prediction) {
  assert(positive.size() == negative.size() && positive.size() == prediction.size());
  const double allowed = guidance.normalization * norm(positive);
  const auto scale = static_cast<float>(guidance.scale);
  for (std::size_t i = 0; i < prediction.size(); ++i)
    prediction[i] = positive[i] + scale * (positive[i] - negative[i]);

  if (guidance.normalization <= 0) return;
  const double reached = norm(prediction);
  if (reached <= allowed) return;
  const auto factor = static_cast<float>(allowed / reached);
  for (float& v : prediction)
    v *= factor;
}

}  // namespace engines
