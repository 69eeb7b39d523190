// SPDX-License-Identifier: Apache-2.0
// The two sums of attention over keys and values that are held in f32 or f16: a few heads of one query with
// neighbouring rows.
#pragma once

#include "engines/tensor/tensor.h"

namespace engines::cpu {

// Rows that are held: row t begins at data + bytes_of(dtype, t * stride), aligned as its elements are.
struct HeldRows {
  const std::byte* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::int64_t stride = 0;
};

// scores[h, t] = sum_d q[h, d] * keys[t, d]
void score_rows(Rows scores, ConstRows q, const HeldRows& keys);
// out[h, d] += sum_t factors[h, t] * values[t, d]
void add_rows(Rows out, ConstRows factors, const HeldRows& values);

}  // namespace engines::cpu
