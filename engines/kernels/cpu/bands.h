// SPDX-License-Identifier: Apache-2.0
// How direct convolutions cut their maps: the output into tiles, and for each a band of input that fits a
// cache, with zeros where the map ends.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/cpu/simd/direct_conv2d.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

// Tiles of a result of `height` x `width` pixels, each needing kernel - 1 rows and columns of input more.
struct Bands {
  Blocks rows;
  Blocks cols;
  Band band;

  Bands(std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t kernel);
  std::int64_t tiles() const { return rows.count() * cols.count(); }
  std::int64_t floats() const { return std::max<std::int64_t>(1, band.channels) * band.plane; }
};

// Row i, column j of the band is row `row` + i, column `col` + j of the map; `rows` of them are filled.
void fill_band(float* to, const Band& band, const Strip& x, const ChannelNorm* norm, std::int64_t row,
               std::int64_t rows, std::int64_t col);

// The stored weights as floats: where they lie if that is possible, else in shared_scratch.
const float* float_weights(Context& context, const WeightView& w);

inline Blocks output_groups(std::int64_t outputs) {
  return {outputs, kOutputsAtOnce};
}

inline std::int64_t arranged_floats(std::int64_t outputs, std::int64_t terms) {
  return output_groups(outputs).count() * (1 + terms) * kOutputsAtOnce;
}

// Biases and weights as convolve_row reads them, group of outputs by group: [group][1 + term][output], the
// bias (may be null) first, zeros where there is no such output. weight(output, term) gives one.
template <class Weight>
void arrange_weights(Context& context, float* arranged, std::int64_t outputs, std::int64_t terms,
                     const float* bias, const Weight& weight) {
  const Blocks groups = output_groups(outputs);
  context.pool.parallel_for(groups.count(), [&](std::int64_t group, int) {
    float* out = arranged + group * (1 + terms) * kOutputsAtOnce;
    std::fill_n(out, (1 + terms) * kOutputsAtOnce, 0.0f);
    for (std::int64_t i = 0; i < groups.length(group); ++i) {
      const std::int64_t output = groups.first(group) + i;
      if (bias) out[i] = bias[output];
      for (std::int64_t term = 0; term < terms; ++term)
        out[(1 + term) * kOutputsAtOnce + i] = weight(output, term);
    }
  });
}

}  // namespace engines::cpu
