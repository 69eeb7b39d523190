// SPDX-License-Identifier: Apache-2.0
#include "engines/ovis/weights.h"

#include <fmt/format.h>

#include "engines/tensor/error.h"

namespace engines::ovis {
namespace {

Linear stored(const WeightSet& weights, const std::string& name, std::int64_t out, std::int64_t in) {
  return stored_linear(weights, name, out, in, Bias::added);
}

Linear in_block(WeightSet& weights, const std::string& name, std::int64_t out, std::int64_t in) {
  return rounded_linear(weights, name, out, in, Bias::added);
}

Swiglu load_swiglu(WeightSet& weights, const OvisConfig& c, const std::string& name) {
  const std::int64_t ffn = c.feed_forward_dim();
  const Linear both = in_block(weights, name, 2 * ffn, c.dim());
  const auto half = [&](std::int64_t first) {
    const std::byte* data = both.weight.data + bytes_of(both.weight.dtype, first * c.dim());
    const auto bias = both.bias.begin() + first;
    return Linear{{data, both.weight.dtype, {ffn, c.dim()}}, {bias, bias + ffn}};
  };
  return {half(0), half(ffn)};
}

// What the two kinds of token call the parts of their shared attention.
struct AttentionNames {
  const char *q, *k, *v, *norm_q, *norm_k;
};
constexpr AttentionNames kImage = {"to_q", "to_k", "to_v", "norm_q.weight", "norm_k.weight"};
constexpr AttentionNames kCaption = {"add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q.weight",
                                     "norm_added_k.weight"};

Attention load_attention(WeightSet& weights, const OvisConfig& c, const std::string& prefix,
                         const AttentionNames& names) {
  return {weights.floats(prefix + names.norm_q, {c.head_dim}),
          weights.floats(prefix + names.norm_k, {c.head_dim}),
          in_block(weights, prefix + names.q, c.dim(), c.dim()),
          in_block(weights, prefix + names.k, c.dim(), c.dim()),
          in_block(weights, prefix + names.v, c.dim(), c.dim())};
}

Stream load_stream(WeightSet& weights, const OvisConfig& c, const std::string& block,
                   const AttentionNames& attention, const std::string& out, const std::string& suffix) {
  const std::string feed_forward = block + "ff" + suffix;
  return {in_block(weights, block + "norm1" + suffix + ".linear", 6 * c.dim(), c.dim()),
          load_attention(weights, c, block + "attn.", attention),
          in_block(weights, block + "attn." + out, c.dim(), c.dim()),
          load_swiglu(weights, c, feed_forward + ".net.0.proj"),
          in_block(weights, feed_forward + ".net.2", c.dim(), c.feed_forward_dim())};
}

DoubleBlock load_double(WeightSet& weights, const OvisConfig& c, const std::string& block) {
  return {load_stream(weights, c, block, kImage, "to_out.0", ""),
          load_stream(weights, c, block, kCaption, "to_add_out", "_context")};
}

SingleBlock load_single(WeightSet& weights, const OvisConfig& c, const std::string& block) {
  return {in_block(weights, block + "norm.linear", 3 * c.dim(), c.dim()),
          load_attention(weights, c, block + "attn.", kImage), load_swiglu(weights, c, block + "proj_mlp"),
          in_block(weights, block + "proj_out", c.dim(), c.dim() + c.feed_forward_dim())};
}

template <class Block>
std::vector<Block> load_blocks(WeightSet& weights, const OvisConfig& c, const std::string& name,
                               const char* field, std::int64_t count,
                               Block (*load)(WeightSet&, const OvisConfig&, const std::string&)) {
  std::vector<Block> blocks;
  for (std::int64_t i = 0; i < count; ++i)
    blocks.push_back(load(weights, c, fmt::format("{}{}.", name, i)));
  const std::string beyond = fmt::format("{}{}.attn.to_q.weight", name, count);
  if (weights.contains(beyond)) {
    throw Error(
        RH_MODEL_INVALID,
        fmt::format("transformer/config.json: {}: {} is too few, the weights have {}", field, count, beyond));
  }
  return blocks;
}

void add_matrices(std::vector<const WeightView*>& to, const Attention& attention) {
  for (const Linear* linear : {&attention.q, &attention.k, &attention.v})
    to.push_back(&linear->weight);
}

}  // namespace

OvisWeights::OvisWeights(WeightSet& weights, const OvisConfig& c)
    : time_in(stored(weights, "timestep_embedder.linear_1", c.dim(), kSinusoid)),
      time_out(stored(weights, "timestep_embedder.linear_2", c.dim(), c.dim())),
      caption_norm(weights.floats("context_embedder_norm.weight", {c.caption_width})),
      caption_in(stored(weights, "context_embedder", c.dim(), c.caption_width)),
      image_in(stored(weights, "x_embedder", c.dim(), c.token_width)),
      double_blocks(
          load_blocks(weights, c, "transformer_blocks.", "num_layers", c.double_blocks, &load_double)),
      single_blocks(load_blocks(weights, c, "single_transformer_blocks.", "num_single_layers",
                                c.single_blocks, &load_single)),
      final_modulation(stored(weights, "norm_out.linear", 2 * c.dim(), c.dim())),
      final_out(stored(weights, "proj_out", c.token_width, c.dim())) {
}

std::vector<const WeightView*> matrices_of(const DoubleBlock& block) {
  std::vector<const WeightView*> views;
  for (const Stream* stream : {&block.image, &block.caption}) {
    add_matrices(views, stream->attention);
    for (const Linear* linear : {&stream->modulation, &stream->attention_out, &stream->feed_forward.up,
                                 &stream->feed_forward.gate, &stream->feed_forward_out})
      views.push_back(&linear->weight);
  }
  return views;
}

std::vector<const WeightView*> matrices_of(const SingleBlock& block) {
  std::vector<const WeightView*> views;
  add_matrices(views, block.attention);
  for (const Linear* linear :
       {&block.modulation, &block.feed_forward.up, &block.feed_forward.gate, &block.out})
    views.push_back(&linear->weight);
  return views;
}

}  // namespace engines::ovis
