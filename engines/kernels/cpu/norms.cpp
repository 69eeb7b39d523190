// SPDX-License-Identifier: Apache-2.0
// The norms: rows in parallel, or, for group norm, chunks whose statistics are merged in order.
#include <cmath>

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

// The scratch that holds floats for most, here with room for moments.
Moments* moments_scratch(Context& context, std::int64_t count) {
  static_assert(sizeof(Moments) % sizeof(float) == 0 && alignof(Moments) <= 64);
  return reinterpret_cast<Moments*>(
      context.shared_scratch.floats(count * static_cast<std::int64_t>(sizeof(Moments) / sizeof(float))));
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

void layer_norm(Context& context, Rows y, ConstRows x, const float* scale, float eps) {
  for_row_blocks(context, x.rows, x.cols, [&](std::int64_t first, std::int64_t rows) {
    for (std::int64_t r = first; r < first + rows; ++r) {
      const Moments moments = moments_of(x.row(r), x.cols);
      centre_row(y.row(r), x.row(r), static_cast<float>(moments.mean), inverse_deviation(moments, eps), scale,
                 x.cols);
    }
  });
}

void group_norm(Context& context, Planes y, ConstPlanes x, std::int64_t groups, const float* weight,
                const float* bias, float eps, bool silu) {
  if (x.size() == 0) return;
  const std::int64_t channels = x.channels / groups;
  const Blocks chunks{channels * x.plane_size(), kFloatsPerPiece};
  Moments* moments = moments_scratch(context, groups * chunks.count());
  context.pool.parallel_for(groups * chunks.count(), [&](std::int64_t piece, int) {
    const std::int64_t chunk = piece % chunks.count();
    const float* group = x.plane(piece / chunks.count() * channels);
    moments[piece] = moments_of(group + chunks.first(chunk), chunks.length(chunk));
  });
  for (std::int64_t group = 0; group < groups; ++group)
    for (std::int64_t chunk = 1; chunk < chunks.count(); ++chunk)
      moments[group * chunks.count()].merge(moments[group * chunks.count() + chunk]);

  const Blocks parts{x.plane_size(), kFloatsPerPiece};
  context.pool.parallel_for(x.channels * parts.count(), [&](std::int64_t piece, int) {
    const std::int64_t channel = piece / parts.count();
    const std::int64_t part = piece % parts.count();
    const Moments& of_group = moments[channel / channels * chunks.count()];
    const float factor = inverse_deviation(of_group, eps) * weight[channel];
    centre_plane(y.plane(channel) + parts.first(part), x.plane(channel) + parts.first(part),
                 static_cast<float>(of_group.mean), factor, bias[channel], silu, parts.length(part));
  });
}

}  // namespace engines::cpu
