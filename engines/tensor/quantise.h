// SPDX-License-Identifier: Apache-2.0
// Rounding weights to other types.
#pragma once

#include <cstdint>

#include "engines/tensor/dtype.h"

namespace engines {

// Whether `quantise` and `convert` make this type; the others can only be read.
constexpr bool can_be_made(Dtype dtype) {
  return dtype <= Dtype::q6_K;
}

// Rounds `count` elements of type `from` (f32, bf16 or f16, at any address) to blocks of type `to` (q8_0,
// q4_0, q4_K or q6_K); count is a multiple of block_length(to), `out` has room for bytes_of(to, count). The
// same bytes everywhere. In each block, q8_0 and q4_0 have the arithmetic of ggml's own reference:
//   q8_0  d = max |x| / 127, q = x / d rounded to the nearest, halves away from zero
//   q4_0  d = m / -8 where m is the x of greatest magnitude (the first of several), q = min(15, floor(x / d +
//         8.5))
// where x / d is x * (1 / d) in float, with d before it is itself rounded to f16. q4_K and q6_K take the
// scales that leave about the least squared error (quantise_k.cpp).
//
// Returns the index of an element that no block can hold, because it is not finite or because d would be
// beyond f16, or `count` when there is none. Everything else is written all the same.
std::int64_t quantise(std::byte* out, Dtype to, const std::byte* data, Dtype from, std::int64_t count);

// Any type to any that can_be_made: rounds to the nearest, to the even one of two equally near, where `to` is
// a float, and as `quantise` does where it is not; a quantised `from` is taken for the values that its blocks
// stand for. `count` is a multiple of both block lengths; neither array need be aligned.
//
// Returns the index of an element that `to` cannot hold (for a float: a finite one that would become
// infinite; infinities and NaNs stay), or `count`.
std::int64_t convert(std::byte* out, Dtype to, const std::byte* data, Dtype from, std::int64_t count);

}  // namespace engines
