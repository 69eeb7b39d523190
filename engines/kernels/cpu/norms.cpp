// SPDX-License-Identifier: Apache-2.0
// The norms: rows in parallel, or, for group norm, channels whose statistics are merged in order.
#include <cmath>
#include <vector>

#include "engines/kernels/cpu/operations.h"
#include "engines/kernels/cpu/simd/moments.h"
#include "engines/kernels/cpu/simd/normalise.h"

namespace engines::cpu {
namespace {

float inverse_rms(const float* x, std::int64_t count, float eps) {
  return static_cast<float>(1 / std::sqrt(sum_of_squares(x, count) / static_cast<double>(count) + eps));
}

float inverse_deviation(const Moments& moments, float eps) {
  return static_cast<float>(1 / std::sqrt(moments.variance() + eps));
}

}  // namespace

void rms_norm(Context& context, Rows y, ConstRows x, const float* weight, float eps) {
  for_row_blocks(context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      scale_row(y.row(r), x.row(r), inverse_rms(x.row(r), x.cols, eps), weight, x.cols);
  });
}

void add_rms_norm(Context& context, Rows y, ConstRows x, const float* weight, float eps) {
  for_row_blocks(context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r)
      add_scaled_row(y.row(r), x.row(r), inverse_rms(x.row(r), x.cols, eps), weight, x.cols);
  });
}

void layer_norm(Context& context, Rows y, ConstRows x, const float* scale, const float* shift, float eps) {
  for_row_blocks(context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r) {
      const Moments moments = moments_of(x.row(r), x.cols);
      centre_row(y.row(r), x.row(r), static_cast<float>(moments.mean), inverse_deviation(moments, eps), scale,
                 shift, x.cols);
    }
  });
}

// Row by row, so that it does not matter how many rows come at once.
void add_moments(Context& context, Moments* moments, ConstPlanes x) {
  context.pool.parallel_for(x.channels, [&](std::int64_t channel, int) {
    for (std::int64_t i = 0; i < x.height; ++i)
      moments[channel].merge(moments_of(x.row(channel, i), x.width));
  });
}

void group_norm(Context& context, Planes y, ConstPlanes x, std::int64_t groups, const float* weight,
                const float* bias, float eps, bool silu) {
  if (x.size() == 0) return;
  std::vector<Moments> moments(static_cast<std::size_t>(x.channels));
  add_moments(context, moments.data(), x);
  const std::vector<ChannelNorm> norms = channel_norms(moments, groups, weight, bias, eps);

  const Blocks parts{x.plane_size(), kFloatsPerPiece};
  context.pool.parallel_for(x.channels * parts.count(), [&](std::int64_t piece, int) {
    const std::int64_t channel = piece / parts.count();
    const std::int64_t first = parts.first(piece % parts.count());
    const ChannelNorm& norm = norms[channel];
    centre_plane(y.plane(channel) + first, x.plane(channel) + first, norm.mean, norm.factor, norm.bias, silu,
                 parts.length(piece % parts.count()));
  });
}

}  // namespace engines::cpu
