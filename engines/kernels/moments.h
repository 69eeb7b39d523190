// SPDX-License-Identifier: Apache-2.0
// Mean and variance of values that come in parts, and what group norm makes of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace engines {

struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;  // the sum of (x - mean)^2

  double variance() const { return squares / count; }
  // Adds the values that `other` describes (Chan, Golub and LeVeque 1979).
  void merge(const Moments& other);
};

// Group norm of one channel, once the statistics are known: (x - mean) * factor + bias.
struct ChannelNorm {
  float mean = 0;
  float factor = 1;
  float bias = 0;
};

// Statistics over groups of neighbouring channels; weight, bias: [channels].
std::vector<ChannelNorm> channel_norms(std::span<const Moments> channels, std::int64_t groups,
                                       const float* weight, const float* bias, float eps);

}  // namespace engines
