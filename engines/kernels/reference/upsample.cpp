// SPDX-License-Identifier: Apache-2.0
// Nearest neighbour enlargement.
#include "engines/kernels/reference/operations.h"

namespace engines::reference {

void upsample_nearest_2x(Planes y, ConstPlanes x) {
  for (std::int64_t c = 0; c < y.channels; ++c)
    for (std::int64_t i = 0; i < y.height; ++i)
      for (std::int64_t j = 0; j < y.width; ++j)
        y.plane(c)[i * y.width + j] = x.plane(c)[i / 2 * x.width + j / 2];
}

}  // namespace engines::reference
