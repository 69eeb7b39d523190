// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/direct_conv2d.h"

#include <algorithm>

#include "engines/kernels/cpu/columns.h"
#include "engines/kernels/cpu/simd/direct_conv2d.h"

namespace engines::cpu {
namespace {

// The input of one tile with its edges, where the channels are not too many: 640 KiB, for the second-level
// cache.
constexpr std::int64_t kBandFloats = 160 * 1024;
constexpr std::int64_t kTileCols = 192;
constexpr std::int64_t kTileRows = 16;

Blocks output_groups(std::int64_t outputs) {
  return {outputs, kOutputsAtOnce};
}

// Weights and biases of each group of outputs, the outputs of a group side by side: [group][1 + channel and
// tap][output], the bias first, zeros where there is no such output.
float* arrange(Context& context, std::int64_t outputs, std::int64_t terms, const float* weights,
               const float* bias) {
  const Blocks groups = output_groups(outputs);
  float* arranged = context.arranged_scratch.floats(groups.count() * (1 + terms) * kOutputsAtOnce);
  context.pool.parallel_for(groups.count(), [&](std::int64_t group, int) {
    float* out = arranged + group * (1 + terms) * kOutputsAtOnce;
    std::fill_n(out, (1 + terms) * kOutputsAtOnce, 0.0f);
    for (std::int64_t i = 0; i < groups.length(group); ++i) {
      const std::int64_t output = groups.first(group) + i;
      if (bias) out[i] = bias[output];
      for (std::int64_t term = 0; term < terms; ++term)
        out[(1 + term) * kOutputsAtOnce + i] = weights[output * terms + term];
    }
  });
  return arranged;
}

}  // namespace

bool suits_direct_conv2d(const ConvShape& shape) {
  return shape.kernel > 1 && shape.stride == 1;
}

void direct_conv2d(Context& context, Planes y, ConstPlanes x, const float* weights, const float* bias,
                   const ConvShape& shape) {
  const std::int64_t terms = x.channels * shape.kernel * shape.kernel;
  const float* arranged = arrange(context, y.channels, terms, weights, bias);
  const Blocks groups = output_groups(y.channels);
  const Blocks cols = Blocks::of(y.width, kTileCols, kColsPadding);
  // Rounded up, as vectors at the end of a row read on beyond it.
  const std::int64_t band_cols =
      (cols.size + shape.kernel - 1 + kColsPadding - 1) / kColsPadding * kColsPadding + kColsPadding;
  const std::int64_t band_rows = kBandFloats / (std::max<std::int64_t>(1, x.channels) * band_cols);
  const Blocks rows =
      Blocks::of(y.height, std::clamp<std::int64_t>(band_rows - shape.kernel + 1, 1, kTileRows));
  const Band band{band_cols, (rows.size + shape.kernel - 1) * band_cols, x.channels, shape.kernel};

  const std::int64_t band_floats = std::max<std::int64_t>(1, x.channels) * band.plane;
  context.reserve(band_floats);
  context.pool.parallel_for(rows.count() * cols.count(), [&](std::int64_t piece, int thread) {
    const std::int64_t row = rows.first(piece / cols.count());
    const std::int64_t count = rows.length(piece / cols.count());
    const std::int64_t col = cols.first(piece % cols.count());
    float* padded = context.thread_scratch[thread].floats(band_floats);
    for (std::int64_t c = 0; c < x.channels; ++c)
      for (std::int64_t i = 0; i < count + shape.kernel - 1; ++i)
        copy_padded_row(padded + c * band.plane + i * band.stride, band.stride, x, c,
                        row + i - shape.pad_before, 1, col - shape.pad_before);
    for (std::int64_t group = 0; group < groups.count(); ++group) {
      const std::int64_t first = groups.first(group);
      for (std::int64_t i = 0; i < count; ++i)
        convolve_row(y.plane(first) + (row + i) * y.width + col, y.plane_size(), groups.length(group),
                     cols.length(piece % cols.count()), padded + i * band.stride, band,
                     arranged + group * (1 + terms) * kOutputsAtOnce);
    }
  });
}

}  // namespace engines::cpu
