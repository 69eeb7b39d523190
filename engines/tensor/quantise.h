// SPDX-License-Identifier: Apache-2.0
// Rounding weights to the quantised types, with the arithmetic of ggml's own reference.
#pragma once

#include <cstdint>

#include "engines/tensor/dtype.h"

namespace engines {

// Rounds `count` elements of type `from` (f32, bf16 or f16, at any address) to blocks of type `to` (q8_0 or
// q4_0); count is a multiple of 32, `out` has room for bytes_of(to, count). In each block:
//   q8_0  d = max |x| / 127, q = x / d rounded to the nearest, halves away from zero
//   q4_0  d = m / -8 where m is the x of greatest magnitude (the first of several), q = min(15, floor(x / d +
//         8.5))
// where x / d is x * (1 / d) in float, with d before it is itself rounded to f16.
//
// Returns the index of an element that no block can hold, because it is not finite or because d would be
// beyond f16, or `count` when there is none. Everything else is written all the same.
std::int64_t quantise(std::byte* out, Dtype to, const std::byte* data, Dtype from, std::int64_t count);

}  // namespace engines
