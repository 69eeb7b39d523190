// SPDX-License-Identifier: Apache-2.0
// Nearest neighbour enlargement, and the convolution that follows it.
#include <vector>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {

void upsample_nearest_2x(Planes y, ConstPlanes x) {
  for (std::int64_t c = 0; c < y.channels; ++c)
    for (std::int64_t i = 0; i < y.height; ++i)
      for (std::int64_t j = 0; j < y.width; ++j)
        y.row(c, i)[j] = x.row(c, i / 2)[j / 2];
}

void upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                          const float* bias) {
  std::vector<float> values(static_cast<std::size_t>(4 * x.size()));
  const Planes larger(values.data(), x.channels, 2 * x.height, 2 * x.width);
  upsample_nearest_2x(larger, x);
  conv2d_rows(y, first, Strip(larger), w, bias, {});
}

}  // namespace engines::reference
