// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/bands.h"

#include "engines/kernels/cpu/columns.h"
#include "engines/kernels/cpu/simd/normalise.h"
#include "engines/kernels/cpu/simd/unpack.h"

namespace engines::cpu {
namespace {

// A band where the channels are not too many: 640 KiB, for the second-level cache.
constexpr std::int64_t kBandFloats = 160 * 1024;
constexpr std::int64_t kTileCols = 192;
constexpr std::int64_t kTileRows = 16;

}  // namespace

Bands::Bands(std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t kernel)
    : cols(Blocks::of(width, kTileCols, kColsPadding)) {
  // Rounded up, as vectors at the end of a row read on beyond it.
  const std::int64_t stride =
      (cols.size + kernel - 1 + kColsPadding - 1) / kColsPadding * kColsPadding + kColsPadding;
  const std::int64_t fitting = kBandFloats / (std::max<std::int64_t>(1, channels) * stride);
  rows = Blocks::of(height, std::clamp<std::int64_t>(fitting - kernel + 1, 1, kTileRows));
  band = {stride, (rows.size + kernel - 1) * stride, channels, kernel};
}

void fill_band(float* to, const Band& band, const Strip& x, const ChannelNorm* norm, std::int64_t row,
               std::int64_t rows, std::int64_t col) {
  const std::int64_t begin = std::clamp<std::int64_t>(-col, 0, band.stride);
  const std::int64_t end = std::clamp<std::int64_t>(x.planes.width - col, begin, band.stride);
  for (std::int64_t c = 0; c < x.planes.channels; ++c) {
    for (std::int64_t i = 0; i < rows; ++i) {
      float* out = to + c * band.plane + i * band.stride;
      copy_padded_row(out, band.stride, x.planes, c, row + i - x.first, 1, col);
      const bool inside = row + i >= 0 && row + i < x.height;
      if (norm && inside)
        centre_plane(out + begin, out + begin, norm[c].mean, norm[c].factor, norm[c].bias, true, end - begin);
    }
  }
}

const float* float_weights(Context& context, const WeightView& w) {
  if (w.dtype == Dtype::f32 && reinterpret_cast<std::uintptr_t>(w.data) % alignof(float) == 0)
    return reinterpret_cast<const float*>(w.data);
  float* unpacked = context.shared_scratch.floats(w.size());
  const Blocks blocks{w.size(), kFloatsPerPiece};
  context.pool.parallel_for(blocks.count(), [&](std::int64_t piece, int) {
    unpack(unpacked + blocks.first(piece), w, blocks.first(piece), blocks.length(piece));
  });
  return unpacked;
}

}  // namespace engines::cpu
