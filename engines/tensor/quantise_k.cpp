// SPDX-License-Identifier: Apache-2.0
// For each sub-block several roundings are tried; the one whose least-squares line (scale and, for q4_K, an
// offset) comes nearest wins. Then the lines of a block are rounded to its integers, with the neighbouring
// integers tried as well, and the elements are rounded once more to what the block can really say.
//
// Sums are kept in lanes of a fixed number, so that every processor gives the same bytes. Compiled twice, for
// vectors of eight floats and for pairs of four.
#include "engines/tensor/quantise_k.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace engines {
namespace {

#define ENGINES_INLINE [[gnu::always_inline]] inline

constexpr int kSuper = 256;
constexpr float kSmallestF16 = 0x1p-24f;
constexpr float kLargestF16 = 65504;
constexpr float kSmallestRange = 0x1p-40f;  // far below what any f16 scale can tell apart

// Eight floats that are computed with together, in one or several registers.
constexpr int kLanes = 8;
using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using Integers8 [[gnu::vector_size(kLanes * sizeof(float))]] = std::int32_t;

// The elements of a sub-block, or their integers.
template <int kCount>
struct Values {
  static constexpr int kVectors = kCount / kLanes;
  Vector v[kVectors];
  float operator[](int j) const { return v[j / kLanes][j % kLanes]; }
};

template <int kCount>
ENGINES_INLINE void load(Values<kCount>& to, const float* x) {
  std::memcpy(&to, x, sizeof to);
}

// In a fixed order.
ENGINES_INLINE double total(const Vector& sums) {
  const float low = (sums[0] + sums[4]) + (sums[2] + sums[6]);
  return double{low} + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// Elements rounded to integers q of `lowest` to `highest` by (x + shift) * by.
template <int kCount>
ENGINES_INLINE void round_elements(Values<kCount>& q, const Values<kCount>& x, float by, float shift,
                                   float lowest, float highest) {
  for (int i = 0; i < Values<kCount>::kVectors; ++i) {
    Vector scaled = (x.v[i] + shift) * by;
    scaled = scaled < lowest ? Vector{} + lowest : scaled;
    scaled = scaled > highest ? Vector{} + highest : scaled;
    // Nothing is below zero after `lowest` is taken away: cutting off is then rounding, halves up.
    const Integers8 whole = __builtin_convertvector(scaled - lowest + 0.5f, Integers8);
    q.v[i] = __builtin_convertvector(whole, Vector) + lowest;
  }
}

template <int kCount>
ENGINES_INLINE double dot(const Values<kCount>& a, const Values<kCount>& b) {
  Vector sums{};
  for (int i = 0; i < Values<kCount>::kVectors; ++i)
    sums += a.v[i] * b.v[i];
  return total(sums);
}

template <int kCount>
ENGINES_INLINE double sum(const Values<kCount>& a) {
  Vector sums{};
  for (int i = 0; i < Values<kCount>::kVectors; ++i)
    sums += a.v[i];
  return total(sums);
}

// sum (scale * q - offset - x)^2
template <int kCount>
ENGINES_INLINE double squared_error(const Values<kCount>& q, const Values<kCount>& x, float scale,
                                    float offset) {
  Vector sums{};
  for (int i = 0; i < Values<kCount>::kVectors; ++i) {
    const Vector error = scale * q.v[i] - offset - x.v[i];
    sums += error * error;
  }
  return total(sums);
}

// The scale that integers of up to `most` are multiplied with to reach `greatest`, as f16 holds it: never
// nothing where there is something to reach.
float super_scale(float greatest, float most) {
  const float scale = greatest / most;
  const float stored = f16_to_float(float_to_f16(scale));
  return stored == 0 && greatest != 0 ? std::copysign(kSmallestF16, scale) : stored;
}

void put_half(std::byte* out, float value) {
  const std::uint16_t bits = float_to_f16(value);
  std::memcpy(out, &bits, 2);
}

// value ~ scale * q - offset
struct Line {
  float scale = 0, offset = 0;
};

namespace q4 {

constexpr int kSub = 32;
constexpr int kSubs = kSuper / kSub;
constexpr float kHighest = 15;
constexpr float kMostScale = 63;
// How far below and above the range of the elements the range of the levels is tried, in half levels.
constexpr int kTries = 7;

// The least-squares line through given integers, its offset not below zero; no line gives an infinite error.
ENGINES_INLINE double fit(const Values<kSub>& q, const Values<kSub>& x, double sum_x, Line& line) {
  const double sum_q = sum(q);
  const double sum_qq = dot(q, q);
  const double sum_xq = dot(x, q);
  const double spread = kSub * sum_qq - sum_q * sum_q;
  double scale = spread > 0 ? (kSub * sum_xq - sum_x * sum_q) / spread : 0;
  double offset = (scale * sum_q - sum_x) / kSub;
  if (!(offset >= 0)) {
    scale = sum_qq > 0 ? sum_xq / sum_qq : 0;
    offset = 0;
  }
  if (!(scale >= 0)) return INFINITY;
  line = {static_cast<float>(scale), static_cast<float>(offset)};
  return -scale * sum_xq + offset * sum_x;  // of the squared error what depends on the line
}

ENGINES_INLINE Line best_line(const Values<kSub>& x) {
  float low = 0;
  float high = x[0];
  for (int j = 0; j < kSub; ++j) {
    low = std::min(low, x[j]);
    high = std::max(high, x[j]);
  }
  if (!(high - low > kSmallestRange)) return {0, -low};
  const double sum_x = sum(x);
  Line best;
  double least = INFINITY;
  for (int i = 0; i < 2 * kTries; ++i) {
    const float levels = kHighest - 1.5f + 0.25f * static_cast<float>(i);
    Values<kSub> q;
    round_elements(q, x, levels / (high - low), -low, 0, kHighest);
    Line line;
    const double error = fit(q, x, sum_x, line);
    if (error < least) {
      least = error;
      best = line;
    }
  }
  return best;
}

struct Integers {
  int scale = 0, minimum = 0;
  Values<kSub> q{};
};

ENGINES_INLINE int nearest_integer(float value, float by) {
  return by == 0 ? 0 : static_cast<int>(std::min(value / by + 0.5f, kMostScale));
}

// The best of the integers around a line, given what they are multiplied with.
ENGINES_INLINE Integers best_integers(const Values<kSub>& x, const Line& line, float d, float dmin) {
  const int scale = nearest_integer(line.scale, d);
  const int minimum = nearest_integer(line.offset, dmin);
  Integers best;
  double least = INFINITY;
  for (int s = std::max(0, scale - 1); s <= std::min(63, scale + 1); ++s) {
    for (int m = std::max(0, minimum - 1); m <= std::min(63, minimum + 1); ++m) {
      const float step = d * static_cast<float>(s);
      const float offset = dmin * static_cast<float>(m);
      Values<kSub> q;
      round_elements(q, x, step > 0 ? 1 / step : 0, offset, 0, kHighest);
      const double error = squared_error(q, x, step, offset);
      if (!(error < least)) continue;
      least = error;
      best.scale = s;
      best.minimum = m;
      best.q = q;
    }
  }
  return best;
}

void put_scales(std::uint8_t* out, const Integers* subs) {
  for (int s = 0; s < 4; ++s) {
    out[s] = static_cast<std::uint8_t>(subs[s].scale | subs[s + 4].scale >> 4 << 6);
    out[s + 4] = static_cast<std::uint8_t>(subs[s].minimum | subs[s + 4].minimum >> 4 << 6);
    out[s + 8] = static_cast<std::uint8_t>((subs[s + 4].scale & 15) | (subs[s + 4].minimum & 15) << 4);
  }
}

ENGINES_INLINE bool round_block(std::byte* out, const float* x) {
  Line lines[kSubs];
  float scale = 0;
  float offset = 0;
  Values<kSub> elements[kSubs];
  for (int s = 0; s < kSubs; ++s) {
    load(elements[s], x + s * kSub);
    lines[s] = best_line(elements[s]);
    scale = std::max(scale, lines[s].scale);
    offset = std::max(offset, lines[s].offset);
  }
  const float d = super_scale(scale, kMostScale);
  const float dmin = super_scale(offset, kMostScale);
  if (!(d <= kLargestF16 && dmin <= kLargestF16)) return false;
  Integers subs[kSubs];
  for (int s = 0; s < kSubs; ++s)
    subs[s] = best_integers(elements[s], lines[s], d, dmin);
  put_half(out, d);
  put_half(out + 2, dmin);
  std::uint8_t bytes[12 + kSuper / 2];
  put_scales(bytes, subs);
  for (int s = 0; s < kSubs; s += 2)
    for (int l = 0; l < kSub; ++l)
      bytes[12 + s / 2 * kSub + l] =
          static_cast<std::uint8_t>(static_cast<int>(subs[s].q[l]) | static_cast<int>(subs[s + 1].q[l]) << 4);
  std::memcpy(out + 4, bytes, sizeof bytes);
  return true;
}

}  // namespace q4

namespace q6 {

constexpr int kSub = 16;
constexpr int kSubs = kSuper / kSub;
constexpr float kLowest = -32;
constexpr float kHighest = 31;
constexpr int kTries = 9;

// The scale, of either sign, that gives the least squared error among some for the element of greatest
// magnitude to lie at the ends of the range.
ENGINES_INLINE float best_scale(const Values<kSub>& x) {
  float peak = 0;
  for (int j = 0; j < kSub; ++j)
    if (std::abs(x[j]) > std::abs(peak)) peak = x[j];
  if (!(std::abs(peak) > kSmallestRange)) return 0;
  float best = 0;
  double most = -1;
  for (int i = 0; i < 2 * kTries; ++i) {
    const int reach = i / 2;  // beyond 30.5, in quarters
    const float level = (i % 2 ? 1.0f : -1.0f) * (30.5f + 0.25f * static_cast<float>(reach));
    Values<kSub> q;
    round_elements(q, x, level / peak, 0, kLowest, kHighest);
    const double sum_xq = dot(x, q);
    const double sum_qq = dot(q, q);
    if (!(sum_qq > 0)) continue;
    const double gain = sum_xq * sum_xq / sum_qq;  // what the squared error lacks of the elements' squares
    if (gain > most) {
      most = gain;
      best = static_cast<float>(sum_xq / sum_qq);
    }
  }
  return best;
}

struct Integers {
  int scale = 0;
  Values<kSub> q{};
};

ENGINES_INLINE Integers best_integers(const Values<kSub>& x, float scale, float d) {
  Integers best;
  if (d == 0) return best;
  const int nearest = static_cast<int>(std::round(std::clamp(scale / d, -128.0f, 127.0f)));
  double least = INFINITY;
  for (int s = std::max(-128, nearest - 1); s <= std::min(127, nearest + 1); ++s) {
    const float step = d * static_cast<float>(s);
    Values<kSub> q;
    round_elements(q, x, step != 0 ? 1 / step : 0, 0, kLowest, kHighest);
    const double error = squared_error(q, x, step, 0);
    if (!(error < least)) continue;
    least = error;
    best.scale = s;
    best.q = q;
  }
  return best;
}

ENGINES_INLINE bool round_block(std::byte* out, const float* x) {
  float scales[kSubs];
  float greatest = 0;
  Values<kSub> elements[kSubs];
  for (int s = 0; s < kSubs; ++s) {
    load(elements[s], x + s * kSub);
    scales[s] = best_scale(elements[s]);
    if (std::abs(scales[s]) > std::abs(greatest)) greatest = scales[s];
  }
  const float d = super_scale(greatest, -128);
  if (!(std::abs(d) <= kLargestF16)) return false;
  std::uint8_t quants[kSuper];
  std::uint8_t bytes[kSuper / 2 + kSuper / 4 + kSubs] = {};
  for (int s = 0; s < kSubs; ++s) {
    const Integers sub = best_integers(elements[s], scales[s], d);
    bytes[192 + s] = static_cast<std::uint8_t>(static_cast<std::int8_t>(sub.scale));
    for (int l = 0; l < kSub; ++l)
      quants[s * kSub + l] = static_cast<std::uint8_t>(static_cast<int>(sub.q[l]) + 32);
  }
  for (int half = 0; half < 2; ++half) {
    for (int l = 0; l < 32; ++l) {
      const std::uint8_t* const q = quants + 128 * half + l;
      bytes[64 * half + l] = static_cast<std::uint8_t>((q[0] & 15) | (q[64] & 15) << 4);
      bytes[64 * half + 32 + l] = static_cast<std::uint8_t>((q[32] & 15) | (q[96] & 15) << 4);
      bytes[128 + 32 * half + l] =
          static_cast<std::uint8_t>(q[0] >> 4 | q[32] >> 4 << 2 | q[64] >> 4 << 4 | q[96] >> 4 << 6);
    }
  }
  std::memcpy(out, bytes, sizeof bytes);
  put_half(out + 208, d);
  return true;
}

}  // namespace q6

// The element that no block can hold when `held` is false or one of them is not finite; else kSuper.
int unfit_element(const float* x, bool held) {
  for (int j = 0; j < kSuper; ++j)
    if (!std::isfinite(x[j])) return j;
  if (held) return kSuper;
  const auto smaller = [](float a, float b) { return std::abs(a) < std::abs(b); };
  return static_cast<int>(std::max_element(x, x + kSuper, smaller) - x);
}

ENGINES_INLINE std::int64_t round_all(std::byte* out, Dtype to, const std::byte* data, Dtype from,
                                      std::int64_t count) {
  std::int64_t unfit = count;
  for (std::int64_t first = 0; first < count; first += kSuper, out += block_bytes(to)) {
    float x[kSuper];
    for (int j = 0; j < kSuper; ++j)
      x[j] = load_as_float(data, from, static_cast<std::size_t>(first + j));
    // Numbers whose squares are beyond float would win or lose every comparison; no f16 scale reaches them.
    const bool finite = std::all_of(x, x + kSuper, [](float value) { return std::abs(value) < 0x1p40f; });
    const bool held = finite && (to == Dtype::q4_K ? q4::round_block(out, x) : q6::round_block(out, x));
    if (!held && unfit == count) unfit = first + unfit_element(x, held);
  }
  return unfit;
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::int64_t round_all_avx2(std::byte* out, Dtype to, const std::byte* data,
                                                    Dtype from, std::int64_t count) {
  return round_all(out, to, data, from, count);
}
#endif

#undef ENGINES_INLINE

}  // namespace

std::int64_t quantise_super_blocks(std::byte* out, Dtype to, const std::byte* data, Dtype from,
                                   std::int64_t count) {
  assert((to == Dtype::q4_K || to == Dtype::q6_K) && count % kSuper == 0);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return round_all_avx2(out, to, data, from, count);
#endif
  return round_all(out, to, data, from, count);
}

}  // namespace engines
