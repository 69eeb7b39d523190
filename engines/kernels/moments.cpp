// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/moments.h"

#include <cmath>

namespace engines {

void Moments::merge(const Moments& other) {
  const double total = count + other.count;
  if (other.count == 0) return;
  const double distance = other.mean - mean;
  squares += other.squares + distance * distance * count * other.count / total;
  mean += distance * other.count / total;
  count = total;
}

std::vector<ChannelNorm> channel_norms(std::span<const Moments> channels, std::int64_t groups,
                                       const float* weight, const float* bias, float eps) {
  const std::size_t size = channels.size() / static_cast<std::size_t>(groups);
  std::vector<ChannelNorm> norms(channels.size());
  for (std::size_t first = 0; first < channels.size(); first += size) {
    Moments group;
    for (const Moments& channel : channels.subspan(first, size))
      group.merge(channel);
    const auto factor = static_cast<float>(1 / std::sqrt(group.variance() + eps));
    for (std::size_t c = first; c < first + size; ++c)
      norms[c] = {static_cast<float>(group.mean), factor * weight[c], bias[c]};
  }
  return norms;
}

}  // namespace engines
