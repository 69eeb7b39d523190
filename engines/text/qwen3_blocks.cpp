// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_blocks.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engines/text/rotary.h"

namespace engines::qwen3 {
namespace {

// [rows, heads * dim] seen as [rows * heads, dim]: the norms of q and k are per head.
Rows per_head(Rows x, std::int64_t head_dim) {
  assert(x.contiguous());
  return {x.data, x.rows * x.cols / head_dim, head_dim};
}

std::size_t aligned(std::int64_t floats) {
  return (static_cast<std::size_t>(floats) + 15) / 16 * 16;  // as Arena::allocate rounds
}

float norm_eps(const Pass& pass) {
  return static_cast<float>(pass.config.rms_norm_eps);
}

KeyValues key_values(const Pass& pass, std::int64_t index, std::int64_t tokens) {
  if (pass.cache != nullptr) return pass.cache->with(index, tokens);
  const std::int64_t width = pass.config.kv_width();
  return {pass.arena.rows(tokens, width), pass.arena.rows(tokens, width)};
}

}  // namespace

Layer load_layer(WeightSet& weights, const Qwen3Config& c, const std::string& prefix, bool computed) {
  const struct {
    const char* name;
    Linear Layer::*to;
    std::int64_t outputs, inputs;
  } matrices[] = {
      {"self_attn.q_proj", &Layer::q, c.q_width(), c.hidden_size},
      {"self_attn.k_proj", &Layer::k, c.kv_width(), c.hidden_size},
      {"self_attn.v_proj", &Layer::v, c.kv_width(), c.hidden_size},
      {"self_attn.o_proj", &Layer::o, c.hidden_size, c.q_width()},
      {"mlp.gate_proj", &Layer::gate, c.intermediate_size, c.hidden_size},
      {"mlp.up_proj", &Layer::up, c.intermediate_size, c.hidden_size},
      {"mlp.down_proj", &Layer::down, c.hidden_size, c.intermediate_size},
  };
  const struct {
    const char* name;
    std::vector<float> Layer::*to;
    std::int64_t size;
  } norms[] = {
      {"input_layernorm.weight", &Layer::input_norm, c.hidden_size},
      {"post_attention_layernorm.weight", &Layer::post_attention_norm, c.hidden_size},
      {"self_attn.q_norm.weight", &Layer::q_norm, c.head_dim},
      {"self_attn.k_norm.weight", &Layer::k_norm, c.head_dim},
  };
  Layer layer;
  for (const auto& m : matrices)
    layer.*m.to = computed ? rounded_linear(weights, prefix + m.name, m.outputs, m.inputs, Bias::none)
                           : stored_linear(weights, prefix + m.name, m.outputs, m.inputs, Bias::none);
  for (const auto& n : norms)
    layer.*n.to = weights.floats(prefix + n.name, {n.size});
  return layer;
}

void fill_rotation(const Qwen3Config& config, std::int64_t first, const Rotation& rotation) {
  for (std::int64_t r = 0; r < rotation.cos.rows; ++r) {
    rotary_row(static_cast<double>(first + r), config.rope_theta, rotation.cos.row_span(r),
               rotation.sin.row_span(r));
  }
}

void project(const Pass& pass, const Layer& layer, ConstRows normed, Rows q, Rows k, Rows v) {
  Kernels& kernels = pass.kernels;
  const std::int64_t dim = pass.config.head_dim;
  layer.q.apply(kernels, q, normed);
  layer.k.apply(kernels, k, normed);
  layer.v.apply(kernels, v, normed);
  kernels.rms_norm(per_head(q, dim), per_head(q, dim), layer.q_norm.data(), norm_eps(pass));
  kernels.rms_norm(per_head(k, dim), per_head(k, dim), layer.k_norm.data(), norm_eps(pass));
  kernels.rope_half(q, dim, pass.rotation.cos, pass.rotation.sin);
  kernels.rope_half(k, dim, pass.rotation.cos, pass.rotation.sin);
}

void attend(const Pass& pass, const Layer& layer, Rows out, ConstRows q, const KeyValues& seen) {
  const Qwen3Config& c = pass.config;
  pass.kernels.attention(out, q, seen.keys, seen.values,
                         {.heads = c.heads,
                          .kv_heads = c.kv_heads,
                          .head_dim = c.head_dim,
                          .causal = true,
                          .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim))),
                          .weights = layer.v.weight.dtype});
}

void attention(const Pass& pass, const Layer& layer, std::int64_t index, Rows x) {
  const Qwen3Config& c = pass.config;
  const Arena::Scope scope(pass.arena);
  const Rows normed = pass.arena.rows(x.rows, c.hidden_size);
  const Rows q = pass.arena.rows(x.rows, c.q_width());
  const KeyValues seen = key_values(pass, index, x.rows);
  const Rows attended = pass.arena.rows(x.rows, c.q_width());
  const std::int64_t past = seen.keys.rows - x.rows;

  pass.kernels.rms_norm(normed, x, layer.input_norm.data(), norm_eps(pass));
  project(pass, layer, normed, q, seen.keys.slice_rows(past, x.rows), seen.values.slice_rows(past, x.rows));
  attend(pass, layer, attended, q, seen);
  layer.o.apply(pass.kernels, normed, attended);
  pass.kernels.add(x, normed);
}

void feed_forward(const Pass& pass, const Layer& layer, Rows x) {
  const Qwen3Config& c = pass.config;
  const Arena::Scope scope(pass.arena);
  const Rows normed = pass.arena.rows(x.rows, c.hidden_size);
  const Rows gate = pass.arena.rows(x.rows, c.intermediate_size);
  const Rows up = pass.arena.rows(x.rows, c.intermediate_size);

  pass.kernels.rms_norm(normed, x, layer.post_attention_norm.data(), norm_eps(pass));
  layer.gate.apply(pass.kernels, gate, normed);
  layer.up.apply(pass.kernels, up, normed);
  pass.kernels.silu_mul(gate, gate, up);
  layer.down.apply(pass.kernels, normed, gate);
  pass.kernels.add(x, normed);
}

std::size_t scratch_floats(const Qwen3Config& c, std::int64_t tokens, bool cached) {
  const auto rows = [&](std::int64_t cols) { return aligned(tokens * cols); };
  const std::size_t attention = 2 * rows(c.q_width()) + (cached ? 0 : 2 * rows(c.kv_width()));
  const std::size_t feed_forward = 2 * rows(c.intermediate_size);
  return 2 * rows(c.head_dim / 2) + rows(c.hidden_size) + std::max(attention, feed_forward);
}

}  // namespace engines::qwen3
