// SPDX-License-Identifier: Apache-2.0
// The softmax of attention whose probabilities are multiplied as bf16: their exponentials need no more than
// bf16 can hold.
#pragma once

#include "engines/kernels/cpu/simd/softmax.h"

namespace engines::cpu {

// As softmax_tile, but the probabilities go beside the scores, as bits of bf16 (scores.cols of them a row,
// one row after another): the bf16 nearest to exp(scale * scores[i, j] - maximum) (1 + e) with |e| below
// 2^-18 besides what rounding the argument does, and 0 where that is below 2^-126. state.sum adds up the
// rounded ones, so that what they multiply is weighted by 1 in all; state.maximum is that of the scaled
// scores times log2(e). A score that is a NaN makes its probability and the sum of its row NaNs.
void rounded_softmax_tile(std::uint16_t* probabilities, ConstRows scores, std::int64_t seen,
                          std::int64_t more_per_row, float scale, const SoftmaxState& state);

}  // namespace engines::cpu
