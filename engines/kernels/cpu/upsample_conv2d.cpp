// SPDX-License-Identifier: Apache-2.0
// A convolution of a map that nearest neighbours enlarged: the 3 taps of an output see only 2 pixels of the
// small map in each direction, which ones depends on whether its row and column are even or odd. So it is
// four convolutions of kernel 2, one for each such phase, whose weights are sums of those that meet one
// pixel.
#include "engines/kernels/cpu/bands.h"
#include "engines/kernels/cpu/direct_conv2d.h"

namespace engines::cpu {
namespace {

constexpr std::int64_t kPhases = 4;  // 2 * (row is odd) + (column is odd)
constexpr std::int64_t kTaps = 4;    // of a kernel of 2 x 2

// The first and last of the 3 taps that meet pixel `tap` (0 or 1) of the two.
struct Taps {
  std::int64_t first;
  std::int64_t last;
};
Taps meeting(bool odd, std::int64_t tap) {
  if (odd) return tap == 0 ? Taps{0, 1} : Taps{2, 2};
  return tap == 0 ? Taps{0, 0} : Taps{1, 2};
}

// `weights` are the 3 x 3 of one output and one channel.
float summed(const float* weights, std::int64_t phase, std::int64_t tap) {
  const Taps rows = meeting(phase / 2 == 1, tap / 2);
  const Taps cols = meeting(phase % 2 == 1, tap % 2);
  double sum = 0;
  for (std::int64_t a = rows.first; a <= rows.last; ++a)
    for (std::int64_t b = cols.first; b <= cols.last; ++b)
      sum += weights[a * 3 + b];
  return static_cast<float>(sum);
}

// [phase][what arrange_weights gives].
const float* arrange_phases(Context& context, const WeightView& w, const float* bias) {
  const std::int64_t outputs = w.dim(0);
  const std::int64_t channels = w.dim(1);
  const float* weights = float_weights(context, w);
  const std::int64_t floats = arranged_floats(outputs, channels * kTaps);
  float* arranged = context.arranged_scratch.floats(kPhases * floats);
  for (std::int64_t phase = 0; phase < kPhases; ++phase)
    arrange_weights(context, arranged + phase * floats, outputs, channels * kTaps, bias,
                    [&](std::int64_t output, std::int64_t term) {
                      return summed(weights + (output * channels + term / kTaps) * 9, phase, term % kTaps);
                    });
  return arranged;
}

}  // namespace

void upsample_conv2d_rows(Context& context, Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                          const float* bias) {
  if (y.size() == 0) return;
  const float* arranged = arrange_phases(context, w, bias);
  const std::int64_t group_floats = (1 + x.channels * kTaps) * kOutputsAtOnce;
  const Blocks groups = output_groups(y.channels);
  // Rows of the small map, each of which becomes two; what it needs is that of a kernel of 3.
  const std::int64_t top = first / 2;
  const Bands bands((first + y.height + 1) / 2 - top, x.width, x.channels, 3);
  const Band band{bands.band.stride, bands.band.plane, x.channels, 2};
  const std::int64_t plane = bands.cols.size;  // of one output's even or odd columns

  const std::int64_t floats = bands.floats() + 2 * kOutputsAtOnce * plane;
  context.reserve(floats);
  context.pool.parallel_for(bands.tiles(), [&](std::int64_t tile, int thread) {
    const std::int64_t row = top + bands.rows.first(tile / bands.cols.count());
    const std::int64_t rows = bands.rows.length(tile / bands.cols.count());
    const std::int64_t col = bands.cols.first(tile % bands.cols.count());
    const std::int64_t cols = bands.cols.length(tile % bands.cols.count());
    float* pixels = context.thread_scratch[thread].floats(floats);
    float* even = pixels + bands.floats();
    float* odd = even + kOutputsAtOnce * plane;
    fill_band(pixels, bands.band, Strip(x), nullptr, row - 1, rows + 2, col - 1);

    const std::int64_t begin = std::max(first, 2 * row);
    const std::int64_t end = std::min(first + y.height, 2 * (row + rows));
    for (std::int64_t group = 0; group < groups.count(); ++group) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* from = pixels + (i / 2 - row + i % 2) * band.stride;
        const float* weights = arranged + (i % 2 * 2 * groups.count() + group) * group_floats;
        convolve_row(even, plane, groups.length(group), cols, from, band, weights, false);
        convolve_row(odd, plane, groups.length(group), cols, from + 1, band,
                     weights + groups.count() * group_floats, false);
        for (std::int64_t o = 0; o < groups.length(group); ++o)
          interleave(y.row(groups.first(group) + o, i - first) + 2 * col, even + o * plane, odd + o * plane,
                     cols);
      }
    }
  });
}

}  // namespace engines::cpu
