// SPDX-License-Identifier: Apache-2.0
// Which type a tensor of a model gets when the model is asked for in some type: the same rule at load and in
// files that are written.
#pragma once

#include <cstdint>

#include "engines/tensor/dtype.h"

namespace engines {

// What a model does with a weight.
enum class WeightRole {
  matrix,     // multiplies activations, in every layer: nearly all of a model
  embedding,  // rows are looked up
  vector,     // norms, biases and what else has one dimension
  other       // what is left: small projections around the layers, convolutions
};

// Fewer elements than this are not worth rounding.
inline constexpr std::int64_t kFewestRounded = 1 << 16;

// `requested` is a type that can_be_made (quantise.h), `stored` what the weight is now, `row_length` the
// length of its last dimension, `elements` all of it; of tensors that a file has fused, those of one part.
//
// Asked for a float: that, and f32 for vectors. Asked for a quantised type: matrices of kFewestRounded
// elements or more get it where their rows are whole blocks, and q8_0 where they are only that type's;
// vectors are f32; everything else stays as it is stored.
Dtype choose_type(Dtype requested, Dtype stored, std::int64_t row_length, std::int64_t elements,
                  WeightRole role);

}  // namespace engines
