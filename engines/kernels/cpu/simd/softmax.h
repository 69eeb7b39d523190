// SPDX-License-Identifier: Apache-2.0
// The softmax of attention, a tile of keys at a time (Milakov and Gimelshein 2018, "Online normalizer
// calculation for softmax").
#pragma once

#include "engines/tensor/tensor.h"

namespace engines::cpu {

// One number per row of queries.
struct SoftmaxState {
  float* maximum;     // of the scaled scores so far; -infinity at the beginning
  float* sum;         // of exp(score - maximum) so far; 0 at the beginning
  float* correction;  // out: what everything accumulated before this tile is to be multiplied by
};

// scores[i, j] <- exp(scale * scores[i, j] - maximum[i]) for the keys that row i sees, its first
// `seen + i * more_per_row` (cut to 0..cols), and 0 for the others. Every row must have seen a key when this
// returns. The rows are contiguous one after another.
void softmax_tile(Rows scores, std::int64_t seen, std::int64_t more_per_row, float scale,
                  const SoftmaxState& state);

// scores <- cap * tanh(scale * scores / cap)
void cap_scores(Rows scores, float scale, float cap);

// y[r, c] *= factors[r]
void scale_rows(Rows y, const float* factors);

}  // namespace engines::cpu
