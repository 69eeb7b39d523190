// SPDX-License-Identifier: Apache-2.0
#include "engines/text/encoder_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engines/tensor/error.h"

namespace engines {
namespace {

Bias bias_if(bool added) {
  return added ? Bias::added : Bias::none;
}

Linear part_of(const Linear& whole, std::int64_t part, std::int64_t rows) {
  return rows_of(whole, part * rows, rows);
}

}  // namespace

EncoderModel::EncoderModel(const EncoderFiles& files, Kernels& kernels, const WeightOptions& options)
    : config_(files.config),
      pooling_(Pooling::read(files.folder, files.config.pooling)),
      weights_(files.folder, files.stem, options,
               files.gguf ? NameTable(files.family->gguf_names) : NameTable()),
      kernels_(kernels) {
  const EncoderNames& names = files.family->names;
  std::string root;
  for (const std::string& prefix : names.roots)
    if (weights_.contains(prefix + names.words + ".weight")) root = prefix;
  const auto matrix = [&](const std::string& name, std::int64_t rows) {
    return weights_.get(root + name + ".weight", {rows, config_.hidden_size});
  };
  words_ = matrix(names.words, config_.vocab_size);
  if (config_.types > 0) types_ = matrix(names.types, config_.types);
  if (config_.rope_theta == 0) positions_ = matrix(names.positions, config_.positions);
  if (config_.rope_theta != 0) rope_ = plain_rope(config_.rope_theta, config_.head_dim());
  norm_ = load_norm_of(root + names.norm);
  for (std::int64_t i = 0; i < config_.layers; ++i)
    layers_.push_back(load_layer_of(names, fmt::format("{}{}{}.", root, names.layers, i)));
  const std::string beyond = fmt::format("{}{}{}.{}.weight", root, names.layers, config_.layers, names.o);
  if (weights_.contains(beyond))
    throw Error(RH_MODEL_INVALID, fmt::format("config.json: {} layers are too few, the weights have {}",
                                              config_.layers, beyond));
}

EncoderModel::Norm EncoderModel::load_norm_of(const std::string& name) const {
  return {weights_.floats(name + ".weight", {config_.hidden_size}),
          weights_.floats(name + ".bias", {config_.hidden_size})};
}

EncoderModel::Layer EncoderModel::load_layer_of(const EncoderNames& names, const std::string& prefix) {
  const std::int64_t width = config_.hidden_size;
  const auto linear = [&](const char* name, std::int64_t outputs, std::int64_t inputs, bool bias) {
    return rounded_linear(weights_, prefix + name, outputs, inputs, bias_if(bias));
  };
  Layer layer;
  if (names.qkv[0] != '\0') {
    const Linear all = linear(names.qkv, 3 * width, width, config_.qkv_bias);
    layer.q = part_of(all, 0, width);
    layer.k = part_of(all, 1, width);
    layer.v = part_of(all, 2, width);
  } else {
    layer.q = linear(names.q, width, width, config_.qkv_bias);
    layer.k = linear(names.k, width, width, config_.qkv_bias);
    layer.v = linear(names.v, width, width, config_.qkv_bias);
  }
  layer.o = linear(names.o, width, width, config_.o_bias);
  layer.attention_norm = load_norm_of(prefix + names.attention_norm);
  layer.up = linear(names.up, config_.intermediate_size, width, config_.up_bias);
  if (names.gate[0] != '\0')
    layer.gate = linear(names.gate, config_.intermediate_size, width, config_.up_bias);
  layer.down = linear(names.down, width, config_.intermediate_size, config_.down_bias);
  layer.out_norm = load_norm_of(prefix + names.out_norm);
  return layer;
}

// The sum of the embeddings of word, position and first type.
void EncoderModel::put_embeddings(Rows x, std::span<const std::int32_t> ids) const {
  const auto add = [&](std::int64_t r, const WeightView& from, std::int64_t row) {
    if (from.data == nullptr) return;
    const auto first = static_cast<std::size_t>(row * x.cols);
    for (std::int64_t c = 0; c < x.cols; ++c)
      x.row(r)[c] += load_as_float(from.data, from.dtype, first + static_cast<std::size_t>(c));
  };
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const std::int32_t id = ids[static_cast<std::size_t>(r)];
    if (id < 0 || id >= config_.vocab_size)
      throw Error(RH_MODEL_INVALID, fmt::format("token id {} is outside the embedding, expected 0 to {}", id,
                                                config_.vocab_size - 1));
    std::fill_n(x.row(r), x.cols, 0.0f);
    add(r, words_, id);
    add(r, types_, 0);
    add(r, positions_, config_.first_position + r);
  }
}

void EncoderModel::apply_norm(const Norm& norm, Rows x) const {
  kernels_.layer_norm(x, x, norm.scale.data(), norm.shift.data(), static_cast<float>(config_.norm_eps));
}

// x = norm(x + o(attention(q, k, v)))
void EncoderModel::attend(const Layer& layer, Arena& arena, Rows x) const {
  const Arena::Scope scope(arena);
  const std::int64_t dim = config_.head_dim();
  const Rows q = arena.rows(x.rows, x.cols), k = arena.rows(x.rows, x.cols);
  const Rows v = arena.rows(x.rows, x.cols), attended = arena.rows(x.rows, x.cols);
  layer.q.apply(kernels_, q, x);
  layer.k.apply(kernels_, k, x);
  layer.v.apply(kernels_, v, x);
  if (!rope_.frequencies.empty()) {
    const Rows cos = arena.rows(x.rows, dim / 2), sin = arena.rows(x.rows, dim / 2);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t p = 0; p < dim / 2; ++p) {
        const float angle = static_cast<float>(r) * rope_.frequencies[static_cast<std::size_t>(p)];
        cos.row(r)[p] = static_cast<float>(std::cos(static_cast<double>(angle)));
        sin.row(r)[p] = static_cast<float>(std::sin(static_cast<double>(angle)));
      }
    }
    kernels_.rope_half(q, dim, cos, sin);
    kernels_.rope_half(k, dim, cos, sin);
  }
  kernels_.attention(attended, q, k, v,
                     {.heads = config_.heads,
                      .kv_heads = config_.heads,
                      .head_dim = dim,
                      .causal = false,
                      .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(dim))),
                      .weights = layer.v.weight.dtype});
  layer.o.apply(kernels_, q, attended);
  kernels_.add(x, q);
  apply_norm(layer.attention_norm, x);
}

// x = norm(x + down(gelu(up(x)))), or with silu(gate(x)) * up(x) in between.
void EncoderModel::feed_forward(const Layer& layer, Arena& arena, Rows x) const {
  const Arena::Scope scope(arena);
  const Rows up = arena.rows(x.rows, config_.intermediate_size);
  const Rows out = arena.rows(x.rows, x.cols);
  layer.up.apply(kernels_, up, x);
  if (layer.gate.exists()) {
    const Rows gate = arena.rows(x.rows, config_.intermediate_size);
    layer.gate.apply(kernels_, gate, x);
    kernels_.silu_mul(up, gate, up);
  } else {
    kernels_.gelu(up, up);
  }
  layer.down.apply(kernels_, out, up);
  kernels_.add(x, out);
  apply_norm(layer.out_norm, x);
}

std::size_t EncoderModel::scratch_floats(std::int64_t tokens) const {
  constexpr std::int64_t kGap = 16;  // rows begin at multiples of 64 bytes
  const std::int64_t attention =
      4 * (tokens * config_.hidden_size + kGap) + tokens * config_.head_dim() + 2 * kGap;
  const std::int64_t inner =
      2 * (tokens * config_.intermediate_size + kGap) + tokens * config_.hidden_size + kGap;
  return static_cast<std::size_t>(tokens * config_.hidden_size + kGap + std::max(attention, inner));
}

std::vector<float> EncoderModel::embed(std::span<const std::int32_t> ids, Run& run) {
  const auto tokens = static_cast<std::int64_t>(ids.size());
  if (tokens == 0 || tokens > window())
    throw Error(RH_INVALID_ARGUMENT, fmt::format("a text of {} tokens, expected 1 to {}", tokens, window()));
  Arena arena(scratch_floats(tokens));
  const Rows x = arena.rows(tokens, config_.hidden_size);
  put_embeddings(x, ids);
  apply_norm(norm_, x);
  for (const Layer& layer : layers_) {
    run.check_cancelled();
    attend(layer, arena, x);
    feed_forward(layer, arena, x);
  }
  return pooled(x, pooling_);
}

}  // namespace engines
