// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/zimage_weights.h"

#include <fmt/format.h>

#include "engines/diffusion/patches.h"

namespace engines {
namespace {

Linear load_linear(const WeightSet& weights, const std::string& name, std::int64_t out, std::int64_t in) {
  return stored_linear(weights, name, out, in, Bias::added);
}

ZImageBlock load_block(WeightSet& weights, const ZImageTransformerConfig& c, const std::string& prefix,
                       bool modulated) {
  const std::int64_t ffn = c.feed_forward_dim();
  const struct {
    const char* name;
    Linear ZImageBlock::*to;
    std::int64_t rows, cols;
  } matrices[] = {
      {"attention.to_q", &ZImageBlock::to_q, c.dim, c.dim},
      {"attention.to_k", &ZImageBlock::to_k, c.dim, c.dim},
      {"attention.to_v", &ZImageBlock::to_v, c.dim, c.dim},
      {"attention.to_out.0", &ZImageBlock::to_out, c.dim, c.dim},
      {"feed_forward.w1", &ZImageBlock::w1, ffn, c.dim},
      {"feed_forward.w2", &ZImageBlock::w2, c.dim, ffn},
      {"feed_forward.w3", &ZImageBlock::w3, ffn, c.dim},
  };
  const struct {
    const char* name;
    std::vector<float> ZImageBlock::*to;
    std::int64_t size;
    bool present;
  } norms[] = {
      {"attention_norm1.weight", &ZImageBlock::attention_norm1, c.dim, true},
      {"attention_norm2.weight", &ZImageBlock::attention_norm2, c.dim, true},
      {"ffn_norm1.weight", &ZImageBlock::ffn_norm1, c.dim, true},
      {"ffn_norm2.weight", &ZImageBlock::ffn_norm2, c.dim, true},
      {"attention.norm_q.weight", &ZImageBlock::norm_q, c.head_dim(), c.qk_norm},
      {"attention.norm_k.weight", &ZImageBlock::norm_k, c.head_dim(), c.qk_norm},
  };
  ZImageBlock block;
  for (const auto& m : matrices)
    block.*m.to = rounded_linear(weights, prefix + m.name, m.rows, m.cols, Bias::none);
  for (const auto& n : norms) {
    if (n.present) block.*n.to = weights.floats(prefix + n.name, {n.size});
  }
  if (modulated) {
    block.modulation =
        rounded_linear(weights, prefix + "adaLN_modulation.0", 4 * c.dim, c.adaln_dim(), Bias::added);
  }
  return block;
}

std::vector<ZImageBlock> load_blocks(WeightSet& weights, const ZImageTransformerConfig& c,
                                     const std::string& name, std::int64_t count, bool modulated) {
  std::vector<ZImageBlock> blocks;
  for (std::int64_t i = 0; i < count; ++i)
    blocks.push_back(load_block(weights, c, fmt::format("{}.{}.", name, i), modulated));
  const std::string beyond = fmt::format("{}.{}.attention.to_q.weight", name, count);
  if (weights.contains(beyond)) {
    throw Error(RH_MODEL_INVALID,
                fmt::format("transformer/config.json: {}: {} is too few, the weights have {}",
                            name == "layers" ? "n_layers" : "n_refiner_layers", count, beyond));
  }
  return blocks;
}

}  // namespace

ZImageTransformer::Parts::Parts(WeightSet& weights, const ZImageTransformerConfig& c)
    : t_embedder_in(load_linear(weights, "t_embedder.mlp.0", kTimeHidden, kSinusoid)),
      t_embedder_out(load_linear(weights, "t_embedder.mlp.2", c.adaln_dim(), kTimeHidden)),
      x_embedder(load_linear(weights, "all_x_embedder.2-1", c.dim, c.token_width())),
      cap_norm(weights.floats("cap_embedder.0.weight", {c.cap_feat_dim})),
      cap_embedder(load_linear(weights, "cap_embedder.1", c.dim, c.cap_feat_dim)),
      x_pad_token(weights.floats("x_pad_token", {1, c.dim})),
      cap_pad_token(weights.floats("cap_pad_token", {1, c.dim})),
      noise_refiner(load_blocks(weights, c, "noise_refiner", c.refiner_layers, true)),
      context_refiner(load_blocks(weights, c, "context_refiner", c.refiner_layers, false)),
      layers(load_blocks(weights, c, "layers", c.layers, true)),
      final_modulation(load_linear(weights, "all_final_layer.2-1.adaLN_modulation.1", c.dim, c.adaln_dim())),
      final_linear(load_linear(weights, "all_final_layer.2-1.linear", c.token_width(), c.dim)) {
}

}  // namespace engines
