// SPDX-License-Identifier: Apache-2.0
// The tensors of OvisImageTransformer2DModel by name and shape.
#pragma once

#include <string>
#include <vector>

#include "engines/ovis/config.h"
#include "engines/weights/weight_set.h"

namespace engines::ovis {

// A matrix [out, in] as stored and its bias [out].
struct Projection {
  WeightView weight;
  std::vector<float> bias;
};

// What of a block makes queries, keys and values of one kind of token.
struct Attention {
  std::vector<float> norm_q, norm_k;  // [head_dim]
  Projection q, k, v;                 // [dim, dim]
};

// up(x) * silu(gate(x)). Files have both matrices in one, up above gate.
struct Swiglu {
  Projection up, gate;  // [ffn, dim]
};

// What a double block has once for the caption and once for the image.
struct Stream {
  Projection modulation;  // [6 * dim, dim]
  Attention attention;
  Projection attention_out;  // [dim, dim]
  Swiglu feed_forward;
  Projection feed_forward_out;  // [dim, ffn]
};

struct DoubleBlock {
  Stream image, caption;
};

struct SingleBlock {
  Projection modulation;  // [3 * dim, dim]
  Attention attention;
  Swiglu feed_forward;
  Projection out;  // [dim, dim + ffn]: of attention and feed-forward side by side
};

struct OvisWeights {
  Projection time_in, time_out;     // [dim, 256], [dim, dim]
  std::vector<float> caption_norm;  // [caption_width]
  Projection caption_in;            // [dim, caption_width]
  Projection image_in;              // [dim, token_width]
  std::vector<DoubleBlock> double_blocks;
  std::vector<SingleBlock> single_blocks;
  Projection final_modulation, final_out;  // [2 * dim, dim], [token_width, dim]

  // Matrices of blocks come from `matrix`, everything else stays as stored.
  OvisWeights(WeightSet& weights, const OvisConfig& config);
};

// The matrices of a block, to read them ahead and to give them back.
std::vector<const WeightView*> matrices_of(const DoubleBlock& block);
std::vector<const WeightView*> matrices_of(const SingleBlock& block);

}  // namespace engines::ovis
