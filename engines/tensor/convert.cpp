// SPDX-License-Identifier: Apache-2.0
// From any type to any other, a piece at a time.
#include <algorithm>
#include <cassert>
#include <cmath>

#include "engines/tensor/quantise.h"

namespace engines {
namespace {

constexpr std::int64_t kPiece = 1024;  // of whole blocks of every type

void load_floats(float* out, const std::byte* data, Dtype from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = load_as_float(data, from, static_cast<std::size_t>(i));
}

// Whether 16 bits have made an infinity of a number.
bool has_overflown(float value, float stored) {
  return std::isinf(stored) && std::isfinite(value);
}

std::int64_t round_to_halves(std::byte* out, Dtype to, const float* values, std::int64_t count) {
  std::int64_t unfit = count;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool brain = to == Dtype::bf16;
    const std::uint16_t half = brain ? float_to_bf16(values[i]) : float_to_f16(values[i]);
    std::memcpy(out + 2 * i, &half, 2);
    if (unfit == count && has_overflown(values[i], brain ? bf16_to_float(half) : f16_to_float(half)))
      unfit = i;
  }
  return unfit;
}

std::int64_t store_floats(std::byte* out, Dtype to, const float* values, std::int64_t count) {
  const auto* const data = reinterpret_cast<const std::byte*>(values);
  if (is_quantised(to)) return quantise(out, to, data, Dtype::f32, count);
  if (to != Dtype::f32) return round_to_halves(out, to, values, count);
  std::memcpy(out, data, static_cast<std::size_t>(count) * sizeof(float));
  return count;
}

}  // namespace

std::int64_t convert(std::byte* out, Dtype to, const std::byte* data, Dtype from, std::int64_t count) {
  assert(can_be_made(to) && count % block_length(to) == 0 && count % block_length(from) == 0);
  if (to == from) {
    std::memcpy(out, data, static_cast<std::size_t>(bytes_of(to, count)));
    return count;
  }
  if (is_quantised(to) && !is_quantised(from)) return quantise(out, to, data, from, count);
  std::int64_t unfit = count;
  float values[kPiece];
  for (std::int64_t first = 0; first < count; first += kPiece) {
    const std::int64_t piece = std::min(kPiece, count - first);
    load_floats(values, data + bytes_of(from, first), from, piece);
    const std::int64_t found = store_floats(out + bytes_of(to, first), to, values, piece);
    if (found < piece && unfit == count) unfit = first + found;
  }
  return unfit;
}

}  // namespace engines
