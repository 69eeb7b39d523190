// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/zimage_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engines/diffusion/patches.h"
#include "engines/diffusion/timestep.h"
#include "engines/tensor/counting_arena.h"
#include "engines/text/rotary.h"

namespace engines {
namespace {

constexpr float kQkNormEps = 1e-5F;     // fixed in the model, unlike norm_eps
constexpr float kFinalNormEps = 1e-6F;  // likewise

template <class AnyArena>
SessionBuffers lay_out(AnyArena& arena, const ZImageTransformerConfig& c, const TokenCounts& tokens) {
  const std::int64_t pairs = c.head_dim() / 2;
  SessionBuffers b;
  b.rotation = {arena.rows(tokens.total(), pairs), arena.rows(tokens.total(), pairs)};
  b.caption_features = arena.rows(tokens.caption_padded, c.cap_feat_dim);
  b.caption = arena.rows(tokens.caption_padded, c.dim);
  b.x = arena.rows(tokens.total(), c.dim);
  b.tokens = arena.rows(tokens.image_padded, c.token_width());
  b.sinusoid = arena.rows(1, kSinusoid);
  b.time_hidden = arena.rows(1, kTimeHidden);
  b.adaln = arena.rows(1, c.adaln_dim());
  b.adaln_silu = arena.rows(1, c.adaln_dim());
  b.modulation = arena.rows(4, c.dim);
  b.final_scale = arena.rows(1, c.dim);
  return b;
}

struct AttentionScratch {
  Rows normed, q, k, v, attended;
};

template <class AnyArena>
AttentionScratch attention_scratch(AnyArena& arena, std::int64_t rows, std::int64_t dim) {
  return {arena.rows(rows, dim), arena.rows(rows, dim), arena.rows(rows, dim), arena.rows(rows, dim),
          arena.rows(rows, dim)};
}

struct FeedForwardScratch {
  Rows normed, gate, up;
};

template <class AnyArena>
FeedForwardScratch feed_forward_scratch(AnyArena& arena, std::int64_t rows, std::int64_t dim,
                                        std::int64_t ffn) {
  return {arena.rows(rows, dim), arena.rows(rows, ffn), arena.rows(rows, ffn)};
}

// [rows, heads * dim] seen as [rows * heads, dim]: the norms of q and k are per head.
Rows per_head(Rows x, std::int64_t head_dim) {
  assert(x.contiguous());
  return {x.data, x.rows * x.cols / head_dim, head_dim};
}

void silu(Rows y, ConstRows x) {
  for (std::int64_t c = 0; c < x.cols; ++c)
    y.data[c] = x.data[c] / (1.0F + std::exp(-x.data[c]));
}

void fill_rows(Rows x, std::int64_t first, const float* row) {
  for (std::int64_t r = first; r < x.rows; ++r)
    std::copy_n(row, x.cols, x.row(r));
}

// The views of a block that are large enough to matter.
template <class Act>
void for_matrices(const ZImageBlock& block, const Act& act) {
  for (const Linear* linear : {&block.to_q, &block.to_k, &block.to_v, &block.to_out, &block.w1, &block.w3,
                               &block.w2, &block.modulation}) {
    if (linear->exists()) act(linear->weight);
  }
}

}  // namespace

ArenaFloats arena_floats(const ZImageTransformerConfig& c, const TokenCounts& tokens) {
  CountingArena kept, caption, attention, feed_forward;
  lay_out(kept, c, tokens);
  caption.rows(tokens.caption_padded, c.cap_feat_dim);
  attention_scratch(attention, tokens.total(), c.dim);
  feed_forward_scratch(feed_forward, tokens.total(), c.dim, c.feed_forward_dim());
  return {kept.floats(), std::max({caption.floats(), attention.floats(), feed_forward.floats()})};
}

void fill_rotation(const ZImageTransformerConfig& config, const TokenCounts& tokens, std::int64_t columns,
                   const ZImageRotation& rotation) {
  const auto place = [&](std::int64_t row, std::int64_t t, std::int64_t r, std::int64_t c) {
    const std::array position{t, r, c};
    std::size_t first = 0;
    for (std::size_t axis = 0; axis < position.size(); ++axis) {
      const auto pairs = static_cast<std::size_t>(config.axes_dims[axis]) / 2;
      rotary_row(static_cast<double>(position[axis]), config.rope_theta,
                 rotation.cos.row_span(row).subspan(first, pairs),
                 rotation.sin.row_span(row).subspan(first, pairs));
      first += pairs;
    }
  };
  for (std::int64_t i = 0; i < tokens.image; ++i)
    place(i, tokens.caption_padded + 1, i / columns, i % columns);
  for (std::int64_t i = tokens.image; i < tokens.image_padded; ++i)
    place(i, 0, 0, 0);
  for (std::int64_t i = 0; i < tokens.caption_padded; ++i)
    place(tokens.image_padded + i, 1 + i, 0, 0);
}

ZImageTransformer::Session::State::State(const Model& the_model, ConstRows caption, std::int64_t h,
                                         std::int64_t w, const TokenCounts& counts,
                                         std::shared_ptr<Arena> lent)
    : model(the_model),
      config(model.config),
      parts(model.parts),
      kernels(model.kernels),
      tokens(counts),
      height(h),
      width(w),
      kept(arena_floats(config, counts).kept),
      borrows(lent && lent->capacity_bytes() >= arena_floats(config, counts).scratch * sizeof(float)),
      scratch(borrows ? std::move(lent) : std::make_shared<Arena>(arena_floats(config, counts).scratch)),
      buffers(lay_out(kept, config, counts)) {
  fill_rotation(config, tokens, width / kPatch, buffers.rotation);
  for (std::int64_t r = 0; r < buffers.caption_features.rows; ++r)
    std::copy_n(caption.row(std::min(r, caption.rows - 1)), caption.cols, buffers.caption_features.row(r));
}

// The whole model: embed time, caption and image, refine each by itself, run the layers over both together,
// project the image's tokens back to latents.
void ZImageTransformer::Session::State::forward(ConstPlanes latents, double t, Planes velocity, Run& run,
                                                const Tap& tap) {
  assert(latents.channels == config.in_channels && latents.height == height && latents.width == width);
  const Rows image = buffers.x.slice_rows(0, tokens.image_padded);
  const Rows caption = buffers.x.slice_rows(tokens.image_padded, tokens.caption_padded);

  embed_time(t, tap);
  refine_caption(run, tap);
  embed_image(latents, tap);
  run_blocks(parts.noise_refiner, "noise_refiner", image, buffers.rotation.slice(0, tokens.image_padded), run,
             tap);
  std::copy_n(buffers.caption.data, caption.rows * caption.cols, caption.data);
  run_blocks(parts.layers, "layer", buffers.x, buffers.rotation, run, tap);
  project(velocity, tap);
}

void ZImageTransformer::Session::State::embed_time(double t, const Tap& tap) {
  const float scaled = static_cast<float>(t) * static_cast<float>(config.t_scale);
  timestep_sinusoid(scaled, buffers.sinusoid.row_span(0));
  parts.t_embedder_in.apply(kernels, buffers.time_hidden, buffers.sinusoid);
  silu(buffers.time_hidden, buffers.time_hidden);
  parts.t_embedder_out.apply(kernels, buffers.adaln, buffers.time_hidden);
  silu(buffers.adaln_silu, buffers.adaln);
  if (tap) tap("t_embedder", buffers.adaln);
}

// Once a session, as nothing here depends on t; in the first step, where somebody watches for cancelling.
void ZImageTransformer::Session::State::refine_caption(Run& run, const Tap& tap) {
  if (caption_refined) return;
  {
    const Arena::Scope scope(*scratch);
    const Rows normed = scratch->rows(buffers.caption_features.rows, buffers.caption_features.cols);
    kernels.rms_norm(normed, buffers.caption_features, parts.cap_norm.data(),
                     static_cast<float>(config.norm_eps));
    parts.cap_embedder.apply(kernels, buffers.caption, normed);
  }
  if (tap) tap("cap_embedder", buffers.caption);
  fill_rows(buffers.caption, tokens.caption, parts.cap_pad_token.data());
  run_blocks(parts.context_refiner, "context_refiner", buffers.caption,
             buffers.rotation.slice(tokens.image_padded, tokens.caption_padded), run, tap);
  caption_refined = true;
}

void ZImageTransformer::Session::State::embed_image(ConstPlanes latents, const Tap& tap) {
  const Rows image = buffers.x.slice_rows(0, tokens.image_padded);
  patchify(latents, buffers.tokens, PatchOrder::channel_last);
  parts.x_embedder.apply(kernels, image, buffers.tokens);
  if (tap) tap("x_embedder", image);
  fill_rows(image, tokens.image, parts.x_pad_token.data());
}

void ZImageTransformer::Session::State::run_blocks(const std::vector<ZImageBlock>& blocks,
                                                   const std::string& name, Rows x,
                                                   const ZImageRotation& rotation, Run& run, const Tap& tap) {
  const std::size_t stay = &blocks == &parts.layers ? model.kept : blocks.size();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    run.check_cancelled();
    if (i + 1 < blocks.size() && i + 1 >= stay) announce(blocks[i + 1]);
    const std::string block_name = tap ? fmt::format("{}{}", name, i) : std::string();
    const BlockNorms norms = norms_of(blocks[i]);
    attention(blocks[i], norms, x, rotation, block_name, tap);
    feed_forward(blocks[i], norms, x, block_name, tap);
    if (i >= stay) give_back(blocks[i]);
    if (tap) tap(block_name, x);
  }
}

void ZImageTransformer::Session::State::give_back(const ZImageBlock& block) const {
  for_matrices(block, [this](const WeightView& view) { model.weights.forget(view); });
}

void ZImageTransformer::Session::State::announce(const ZImageBlock& block) const {
  for_matrices(block, [this](const WeightView& view) { model.weights.prefetch(view); });
}

std::size_t ZImageTransformer::Session::State::activation_bytes() const {
  return kept.capacity_bytes() + (borrows ? 0 : scratch->capacity_bytes());
}

// A modulated block scales the output of a norm by 1 + s or gates it by tanh(g); both are factors per column,
// as the norm's own weight is, so they are multiplied into it. s and g come in the order of `weights`.
BlockNorms ZImageTransformer::Session::State::norms_of(const ZImageBlock& block) {
  const float* const weights[] = {block.attention_norm1.data(), block.attention_norm2.data(),
                                  block.ffn_norm1.data(), block.ffn_norm2.data()};
  if (!block.modulation.exists()) return {weights[0], weights[1], weights[2], weights[3]};

  const Rows folded = buffers.modulation;
  block.modulation.apply(kernels, {folded.data, 1, 4 * config.dim}, buffers.adaln);
  for (std::int64_t r = 0; r < folded.rows; ++r) {
    const bool gate = r % 2 == 1;
    for (std::int64_t c = 0; c < folded.cols; ++c) {
      float& value = folded.row(r)[c];
      value = weights[r][c] * (gate ? std::tanh(value) : 1.0F + value);
    }
  }
  return {folded.row(0), folded.row(1), folded.row(2), folded.row(3)};
}

// x += norm_out(to_out(attention(rope(norm_q(to_q(n))), rope(norm_k(to_k(n))), to_v(n)))), n = norm_in(x)
void ZImageTransformer::Session::State::attention(const ZImageBlock& block, const BlockNorms& norms, Rows x,
                                                  const ZImageRotation& rotation, const std::string& name,
                                                  const Tap& tap) {
  const std::int64_t head_dim = config.head_dim();
  const auto eps = static_cast<float>(config.norm_eps);
  const Arena::Scope scope(*scratch);
  const auto [normed, q, k, v, attended] = attention_scratch(*scratch, x.rows, config.dim);

  kernels.rms_norm(normed, x, norms.attention_in, eps);
  block.to_q.apply(kernels, q, normed);
  block.to_k.apply(kernels, k, normed);
  block.to_v.apply(kernels, v, normed);
  if (config.qk_norm) {
    kernels.rms_norm(per_head(q, head_dim), per_head(q, head_dim), block.norm_q.data(), kQkNormEps);
    kernels.rms_norm(per_head(k, head_dim), per_head(k, head_dim), block.norm_k.data(), kQkNormEps);
  }
  kernels.rope_interleaved(q, head_dim, rotation.cos, rotation.sin);
  kernels.rope_interleaved(k, head_dim, rotation.cos, rotation.sin);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)));
  kernels.attention(attended, q, k, v,
                    {config.heads, config.heads, head_dim, false, scale, block.to_v.weight.dtype});
  block.to_out.apply(kernels, normed, attended);
  if (tap) tap(name + "_attn_out", normed);
  kernels.add_rms_norm(x, normed, norms.attention_out, eps);
}

// x += norm_out(w2(silu(w1(n)) * w3(n))), n = norm_in(x)
void ZImageTransformer::Session::State::feed_forward(const ZImageBlock& block, const BlockNorms& norms,
                                                     Rows x, const std::string& name, const Tap& tap) {
  const auto eps = static_cast<float>(config.norm_eps);
  const Arena::Scope scope(*scratch);
  const auto [normed, gate, up] =
      feed_forward_scratch(*scratch, x.rows, config.dim, config.feed_forward_dim());

  kernels.rms_norm(normed, x, norms.ffn_in, eps);
  block.w1.apply(kernels, gate, normed);
  block.w3.apply(kernels, up, normed);
  kernels.silu_mul(gate, gate, up);
  block.w2.apply(kernels, normed, gate);
  if (tap) tap(name + "_ffn_out", normed);
  kernels.add_rms_norm(x, normed, norms.ffn_out, eps);
}

// velocity = unpatchify(linear(layer_norm(x) * (1 + modulation(silu(adaln))))), of the image's tokens
void ZImageTransformer::Session::State::project(Planes velocity, const Tap& tap) {
  parts.final_modulation.apply(kernels, buffers.final_scale, buffers.adaln_silu);
  for (float& s : buffers.final_scale.row_span(0))
    s += 1.0F;

  const Arena::Scope scope(*scratch);
  const Rows normed = scratch->rows(tokens.image_padded, config.dim);
  kernels.layer_norm(normed, buffers.x.slice_rows(0, tokens.image_padded), buffers.final_scale.data, nullptr,
                     kFinalNormEps);
  parts.final_linear.apply(kernels, buffers.tokens, normed);
  if (tap) tap("final_layer", buffers.tokens);
  unpatchify(buffers.tokens, velocity, PatchOrder::channel_last);
}

}  // namespace engines
