// SPDX-License-Identifier: Apache-2.0
#include "engines/text/decoder_layer.h"

namespace engines {
namespace {

Bias added_if(bool added) {
  return added ? Bias::added : Bias::none;
}

void load_attention(WeightSet& weights, const DecoderConfig& c, const std::string& prefix,
                    DecoderLayer& layer) {
  const auto linear = [&](const char* name, std::int64_t outputs, std::int64_t inputs, bool bias) {
    return rounded_linear(weights, prefix + name, outputs, inputs, added_if(bias));
  };
  if (c.fused) {
    const Linear all = linear("qkv_proj", c.q_width() + 2 * c.kv_width(), c.hidden_size, c.qkv_bias);
    layer.q = rows_of(all, 0, c.q_width());
    layer.k = rows_of(all, c.q_width(), c.kv_width());
    layer.v = rows_of(all, c.q_width() + c.kv_width(), c.kv_width());
  } else {
    layer.q = linear("q_proj", c.q_width(), c.hidden_size, c.qkv_bias);
    layer.k = linear("k_proj", c.kv_width(), c.hidden_size, c.qkv_bias);
    layer.v = linear("v_proj", c.kv_width(), c.hidden_size, c.qkv_bias);
  }
  layer.o = linear("o_proj", c.hidden_size, c.q_width(), c.o_bias);
  if (!c.qk_norms) return;
  layer.q_norm = load_norm(weights, c, prefix + "q_norm", c.head_dim);
  layer.k_norm = load_norm(weights, c, prefix + "k_norm", c.head_dim);
}

void load_feed_forward(WeightSet& weights, const DecoderConfig& c, const std::string& prefix,
                       DecoderLayer& layer) {
  const auto linear = [&](const char* name, std::int64_t outputs, std::int64_t inputs) {
    return rounded_linear(weights, prefix + name, outputs, inputs, added_if(c.mlp_bias));
  };
  if (c.fused) {
    const Linear both = linear("gate_up_proj", 2 * c.intermediate_size, c.hidden_size);
    layer.gate = rows_of(both, 0, c.intermediate_size);
    layer.up = rows_of(both, c.intermediate_size, c.intermediate_size);
  } else {
    layer.gate = linear("gate_proj", c.intermediate_size, c.hidden_size);
    layer.up = linear("up_proj", c.intermediate_size, c.hidden_size);
  }
  layer.down = linear("down_proj", c.hidden_size, c.intermediate_size);
}

}  // namespace

std::vector<float> load_norm(const WeightSet& weights, const DecoderConfig& config, const std::string& name,
                             std::int64_t size) {
  std::vector<float> norm = weights.floats(name + ".weight", {size});
  for (float& weight : norm)
    weight += config.norm_offset;
  return norm;
}

DecoderLayer load_decoder_layer(WeightSet& weights, const DecoderConfig& c, const std::string& prefix) {
  const auto norm = [&](const char* name) { return load_norm(weights, c, prefix + name, c.hidden_size); };
  DecoderLayer layer;
  layer.attention_norm = norm("input_layernorm");
  if (c.sandwich_norms) {
    layer.attention_out_norm = norm("post_attention_layernorm");
    layer.feed_forward_norm = norm("pre_feedforward_layernorm");
    layer.feed_forward_out_norm = norm("post_feedforward_layernorm");
  } else {
    layer.feed_forward_norm = norm("post_attention_layernorm");
  }
  load_attention(weights, c, prefix + "self_attn.", layer);
  load_feed_forward(weights, c, prefix + "mlp.", layer);
  return layer;
}

}  // namespace engines
