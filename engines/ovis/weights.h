// SPDX-License-Identifier: Apache-2.0
// The tensors of OvisImageTransformer2DModel by name and shape.
#pragma once

#include <string>
#include <vector>

#include "engines/layers/linear.h"
#include "engines/ovis/config.h"
#include "engines/weights/weight_set.h"

namespace engines::ovis {

// What of a block makes queries, keys and values of one kind of token.
struct Attention {
  std::vector<float> norm_q, norm_k;  // [head_dim]
  Linear q, k, v;                     // [dim, dim]
};

// up(x) * silu(gate(x)). Files have both matrices in one, up above gate.
struct Swiglu {
  Linear up, gate;  // [ffn, dim]
};

// What a double block has once for the caption and once for the image.
struct Stream {
  Linear modulation;  // [6 * dim, dim]
  Attention attention;
  Linear attention_out;  // [dim, dim]
  Swiglu feed_forward;
  Linear feed_forward_out;  // [dim, ffn]
};

struct DoubleBlock {
  Stream image, caption;
};

struct SingleBlock {
  Linear modulation;  // [3 * dim, dim]
  Attention attention;
  Swiglu feed_forward;
  Linear out;  // [dim, dim + ffn]: of attention and feed-forward side by side
};

struct OvisWeights {
  Linear time_in, time_out;         // [dim, 256], [dim, dim]
  std::vector<float> caption_norm;  // [caption_width]
  Linear caption_in;                // [dim, caption_width]
  Linear image_in;                  // [dim, token_width]
  std::vector<DoubleBlock> double_blocks;
  std::vector<SingleBlock> single_blocks;
  Linear final_modulation, final_out;  // [2 * dim, dim], [token_width, dim]

  // Matrices of blocks come from `matrix`, everything else stays as stored.
  OvisWeights(WeightSet& weights, const OvisConfig& config);
};

// The matrices of a block, to read them ahead and to give them back.
std::vector<const WeightView*> matrices_of(const DoubleBlock& block);
std::vector<const WeightView*> matrices_of(const SingleBlock& block);

}  // namespace engines::ovis
