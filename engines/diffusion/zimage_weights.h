// SPDX-License-Identifier: Apache-2.0
// The tensors of ZImageTransformer2DModel by name and shape.
#pragma once

#include <string>
#include <vector>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/layers/linear.h"

namespace engines {

constexpr std::int64_t kSinusoid = 256;     // width of the timestep's sinusoid
constexpr std::int64_t kTimeHidden = 1024;  // width between the two layers of t_embedder

struct ZImageBlock {
  std::vector<float> attention_norm1, attention_norm2, ffn_norm1, ffn_norm2;  // [dim]
  std::vector<float> norm_q, norm_k;  // [head_dim]; empty when the model has none
  Linear to_q, to_k, to_v, to_out;    // [dim, dim]
  Linear w1, w3, w2;                  // [ffn, dim], [ffn, dim], [dim, ffn]
  Linear modulation;                  // [4 * dim, adaln]; none in context_refiner
};

struct ZImageTransformer::Parts {
  Linear t_embedder_in, t_embedder_out;           // [1024, 256], [adaln, 1024]
  Linear x_embedder;                              // [dim, 4 * in_channels]
  std::vector<float> cap_norm;                    // [cap_feat_dim]
  Linear cap_embedder;                            // [dim, cap_feat_dim]
  std::vector<float> x_pad_token, cap_pad_token;  // [dim]
  std::vector<ZImageBlock> noise_refiner, context_refiner, layers;
  Linear final_modulation, final_linear;  // [dim, adaln], [4 * in_channels, dim]

  // Block matrices come from `matrix`, everything else stays as stored.
  Parts(WeightSet& weights, const ZImageTransformerConfig& config);
};

}  // namespace engines
