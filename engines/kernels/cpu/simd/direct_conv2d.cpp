// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/direct_conv2d.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/direct_conv2d.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include <algorithm>

#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

using Floats = hn::CappedTag<float, kColsPadding>;

// Sums in registers: 8 outputs x 3 vectors where there are 32 registers, 4 x 3 where there are 16.
constexpr int kOutputs = HWY_MAX_BYTES >= 64 ? 8 : 4;
constexpr int kVectors = 3;

struct Target {
  float* y;
  std::int64_t plane;
  std::int64_t outputs;
  std::int64_t cols;
  bool add;
};

// The first `count` values to (or onto) out.
template <class V>
HWY_INLINE void store_first(V values, float* out, std::int64_t count, bool add) {
  const Floats d;
  if (count >= static_cast<std::int64_t>(hn::Lanes(d))) {
    hn::StoreU(add ? hn::Add(hn::LoadU(d, out), values) : values, d, out);
    return;
  }
  HWY_ALIGN float all[kColsPadding];
  hn::Store(values, d, all);
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = add ? out[i] + all[i] : all[i];
}

// kOut outputs of kVec vectors of pixels.
template <int kOut, int kVec>
HWY_INLINE void block(const Target& target, const float* HWY_RESTRICT pixels, const Band& band,
                      const float* HWY_RESTRICT weights) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<Floats> sums[kOut][kVec];
  for (int o = 0; o < kOut; ++o)
    for (int v = 0; v < kVec; ++v)
      sums[o][v] = hn::Set(d, weights[o]);
  weights += kOutputsAtOnce;

  for (std::int64_t c = 0; c < band.channels; ++c) {
    for (std::int64_t a = 0; a < band.kernel; ++a) {
      const float* row = pixels + c * band.plane + a * band.stride;
      for (std::int64_t b = 0; b < band.kernel; ++b, weights += kOutputsAtOnce) {
        hn::Vec<Floats> values[kVec];
        for (int v = 0; v < kVec; ++v)
          values[v] = hn::LoadU(d, row + b + v * lanes);
        for (int o = 0; o < kOut; ++o) {
          const auto weight = hn::Set(d, weights[o]);
          for (int v = 0; v < kVec; ++v)
            sums[o][v] = hn::MulAdd(values[v], weight, sums[o][v]);
        }
      }
    }
  }
  for (int o = 0; o < kOut && o < target.outputs; ++o)
    for (int v = 0; v < kVec; ++v)
      store_first(sums[o][v], target.y + o * target.plane + v * lanes, target.cols - v * lanes, target.add);
}

template <int kOut>
HWY_INLINE void outputs_of_row(Target target, const float* pixels, const Band& band, const float* weights) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  while (target.cols > 0) {
    const std::int64_t vectors = (target.cols + lanes - 1) / lanes;
    // Four are better cut into two and two than into three and a lonely one.
    const std::int64_t now = vectors == 4 ? 2 : std::min<std::int64_t>(vectors, kVectors);
    const std::int64_t cols = std::min(target.cols, now * lanes);
    const Target part{target.y, target.plane, target.outputs, cols, target.add};
    if (now == kVectors)
      block<kOut, kVectors>(part, pixels, band, weights);
    else if (now == 2)
      block<kOut, 2>(part, pixels, band, weights);
    else
      block<kOut, 1>(part, pixels, band, weights);
    target.y += cols;
    target.cols -= cols;
    pixels += cols;
  }
}

void row_of_planes(float* y, std::int64_t y_plane, std::int64_t outputs, std::int64_t cols,
                   const float* pixels, const Band& band, const float* weights, bool add) {
  if (outputs > 4 && kOutputs == 8) {
    outputs_of_row<kOutputs>({y, y_plane, outputs, cols, add}, pixels, band, weights);
    return;
  }
  for (std::int64_t o = 0; o < outputs; o += 4)
    outputs_of_row<4>({y + o * y_plane, y_plane, outputs - o, cols, add}, pixels, band, weights + o);
}

void interleave_vectors(float* y, const float* even, const float* odd, std::int64_t count) {
  for_vectors(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreInterleaved2(hn::LoadU(d, even + i), hn::LoadU(d, odd + i), d, y + 2 * i);
  });
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(row_of_planes);
HWY_EXPORT(interleave_vectors);

void convolve_row(float* y, std::int64_t y_plane, std::int64_t outputs, std::int64_t cols,
                  const float* pixels, const Band& band, const float* weights, bool add) {
  HWY_DYNAMIC_DISPATCH(row_of_planes)(y, y_plane, outputs, cols, pixels, band, weights, add);
}

void interleave(float* y, const float* even, const float* odd, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(interleave_vectors)(y, even, odd, count);
}
}  // namespace engines::cpu
#endif
