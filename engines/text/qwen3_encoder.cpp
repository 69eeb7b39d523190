// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_encoder.h"

#include <algorithm>
#include <cmath>

#include "engines/text/llama_cpp_names.h"
#include "engines/text/rotary.h"

namespace engines {
namespace {

constexpr const char* kStem = "model";

// [rows, heads * dim] seen as [rows * heads, dim]: the norms of q and k are per head.
Rows per_head(Rows x, std::int64_t head_dim) {
  assert(x.contiguous());
  return {x.data, x.rows * x.cols / head_dim, head_dim};
}

std::size_t aligned(std::int64_t floats) {
  return (static_cast<std::size_t>(floats) + 15) / 16 * 16;  // as Arena::allocate rounds
}

}  // namespace

Qwen3Encoder::Qwen3Encoder(const std::filesystem::path& folder, Kernels& kernels,
                           const WeightOptions& options, HiddenState output)
    : config_(Qwen3Config::read(read_text_config(folder, kStem, "text_encoder/config.json"))),
      weights_(folder, kStem, options, llama_cpp_names()),
      kernels_(kernels) {
  const std::string root = weights_.contains("model.embed_tokens.weight") ? "model." : "";
  embedding_ = weights_.get(root + "embed_tokens.weight", {config_.vocab_size, config_.hidden_size});
  const std::int64_t computed = config_.layers - (output == HiddenState::last ? 0 : 1);
  for (std::int64_t i = 0; i < config_.layers; ++i)
    layers_.push_back(load_layer(root + "layers." + std::to_string(i) + ".", i < computed));
  const std::string beyond = root + "layers." + std::to_string(config_.layers) + ".input_layernorm.weight";
  if (weights_.contains(beyond)) {
    throw Error(RH_MODEL_INVALID,
                "text_encoder/config.json: num_hidden_layers: " + std::to_string(config_.layers) +
                    " is too few, the weights have " + beyond);
  }
  layers_.resize(static_cast<std::size_t>(computed));
  if (output == HiddenState::last) final_norm_ = weights_.floats(root + "norm.weight", {config_.hidden_size});
  row_ = weights_.block_row(root + "layers.", layers_.size(), 0);
}

template <class Act>
void Qwen3Encoder::for_matrices(const Layer& layer, const Act& act) const {
  for (const WeightView* view : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down})
    act(*view);
}

std::uint64_t Qwen3Encoder::weight_bytes(const std::filesystem::path& folder, const WeightOptions& options) {
  const auto kernels = make_reference_kernels();
  return Qwen3Encoder(folder, *kernels, {.matrices = options.matrices, .plan_only = true})
      .weights()
      .total_bytes();
}

Qwen3Encoder::Layer Qwen3Encoder::load_layer(const std::string& prefix, bool computed) {
  const auto& c = config_;
  const struct {
    const char* name;
    WeightView Layer::*to;
    std::int64_t rows, cols;
  } matrices[] = {
      {"self_attn.q_proj.weight", &Layer::q, c.q_width(), c.hidden_size},
      {"self_attn.k_proj.weight", &Layer::k, c.kv_width(), c.hidden_size},
      {"self_attn.v_proj.weight", &Layer::v, c.kv_width(), c.hidden_size},
      {"self_attn.o_proj.weight", &Layer::o, c.hidden_size, c.q_width()},
      {"mlp.gate_proj.weight", &Layer::gate, c.intermediate_size, c.hidden_size},
      {"mlp.up_proj.weight", &Layer::up, c.intermediate_size, c.hidden_size},
      {"mlp.down_proj.weight", &Layer::down, c.hidden_size, c.intermediate_size},
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
  for (const auto& m : matrices) {
    const std::string name = prefix + m.name;
    const std::vector<std::int64_t> shape = {m.rows, m.cols};
    layer.*m.to = computed ? weights_.matrix(name, shape) : weights_.get(name, shape);
  }
  for (const auto& n : norms)
    layer.*n.to = weights_.floats(prefix + n.name, {n.size});
  return layer;
}

FloatBuffer Qwen3Encoder::encode(const std::vector<std::int32_t>& ids, Run& run, const Tap& tap) const {
  const auto tokens = static_cast<std::int64_t>(ids.size());
  FloatBuffer hidden(ids.size() * static_cast<std::size_t>(config_.hidden_size));
  const Rows x{hidden.data(), tokens, config_.hidden_size};
  embed(x, ids);
  if (tap) tap("hidden0", x);
  if (ids.empty()) return hidden;

  Arena arena(scratch_floats(tokens));
  const Rotation angles = rotation(tokens, arena);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    run.check_cancelled();
    if (i + 1 < layers_.size() && i + 1 >= kept_)
      for_matrices(layers_[i + 1], [&](const WeightView& view) { weights_.prefetch(view); });
    attention(layers_[i], x, angles, arena);
    feed_forward(layers_[i], x, arena);
    if (i >= kept_) for_matrices(layers_[i], [&](const WeightView& view) { weights_.forget(view); });
    if (tap) tap("hidden" + std::to_string(i + 1), x);
  }
  if (!final_norm_.empty())
    kernels_.rms_norm(x, x, final_norm_.data(), static_cast<float>(config_.rms_norm_eps));
  return hidden;
}

void Qwen3Encoder::embed(Rows x, const std::vector<std::int32_t>& ids) const {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const std::int32_t id = ids[static_cast<std::size_t>(r)];
    if (id < 0 || id >= config_.vocab_size) {
      throw Error(RH_MODEL_INVALID, "text_encoder: token id " + std::to_string(id) +
                                        " is outside the embedding, expected 0 to " +
                                        std::to_string(config_.vocab_size - 1));
    }
    const auto first = static_cast<std::size_t>(id * config_.hidden_size);
    for (std::int64_t c = 0; c < x.cols; ++c)
      x.row(r)[c] = load_as_float(embedding_.data, embedding_.dtype, first + static_cast<std::size_t>(c));
  }
}

Qwen3Encoder::Rotation Qwen3Encoder::rotation(std::int64_t tokens, Arena& arena) const {
  const Rows cos = arena.rows(tokens, config_.head_dim / 2);
  const Rows sin = arena.rows(tokens, config_.head_dim / 2);
  for (std::int64_t r = 0; r < tokens; ++r)
    rotary_row(static_cast<double>(r), config_.rope_theta, cos.row_span(r), sin.row_span(r));
  return {cos, sin};
}

// x += o(attention(rope(norm(q(norm(x)))), rope(norm(k(norm(x)))), v(norm(x))))
void Qwen3Encoder::attention(const Layer& w, Rows x, const Rotation& angles, Arena& arena) const {
  const auto& c = config_;
  const auto eps = static_cast<float>(c.rms_norm_eps);
  const Arena::Scope scope(arena);
  const Rows normed = arena.rows(x.rows, c.hidden_size);
  const Rows q = arena.rows(x.rows, c.q_width());
  const Rows k = arena.rows(x.rows, c.kv_width());
  const Rows v = arena.rows(x.rows, c.kv_width());
  const Rows attended = arena.rows(x.rows, c.q_width());

  kernels_.rms_norm(normed, x, w.input_norm.data(), eps);
  kernels_.linear(q, normed, w.q);
  kernels_.linear(k, normed, w.k);
  kernels_.linear(v, normed, w.v);
  kernels_.rms_norm(per_head(q, c.head_dim), per_head(q, c.head_dim), w.q_norm.data(), eps);
  kernels_.rms_norm(per_head(k, c.head_dim), per_head(k, c.head_dim), w.k_norm.data(), eps);
  kernels_.rope_half(q, c.head_dim, angles.cos, angles.sin);
  kernels_.rope_half(k, c.head_dim, angles.cos, angles.sin);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)));
  kernels_.attention(attended, q, k, v, {c.heads, c.kv_heads, c.head_dim, true, scale, w.v.dtype});
  kernels_.linear(normed, attended, w.o);
  kernels_.add(x, normed);
}

// x += down(silu(gate(norm(x))) * up(norm(x)))
void Qwen3Encoder::feed_forward(const Layer& w, Rows x, Arena& arena) const {
  const Arena::Scope scope(arena);
  const Rows normed = arena.rows(x.rows, config_.hidden_size);
  const Rows gate = arena.rows(x.rows, config_.intermediate_size);
  const Rows up = arena.rows(x.rows, config_.intermediate_size);

  kernels_.rms_norm(normed, x, w.post_attention_norm.data(), static_cast<float>(config_.rms_norm_eps));
  kernels_.linear(gate, normed, w.gate);
  kernels_.linear(up, normed, w.up);
  kernels_.silu_mul(gate, gate, up);
  kernels_.linear(normed, gate, w.down);
  kernels_.add(x, normed);
}

std::size_t Qwen3Encoder::scratch_floats(std::int64_t tokens) const {
  const auto& c = config_;
  const auto rows = [&](std::int64_t cols) { return aligned(tokens * cols); };
  const std::size_t attention = 2 * rows(c.q_width()) + 2 * rows(c.kv_width());
  const std::size_t feed_forward = 2 * rows(c.intermediate_size);
  return 2 * rows(c.head_dim / 2) + rows(c.hidden_size) + std::max(attention, feed_forward);
}

std::size_t Qwen3Encoder::activation_bytes(std::size_t tokens) const {
  const auto n = static_cast<std::int64_t>(tokens);
  return (scratch_floats(n) + aligned(n * config_.hidden_size)) * sizeof(float);
}

}  // namespace engines
