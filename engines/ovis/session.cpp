// SPDX-License-Identifier: Apache-2.0
// After diffusers' OvisImageTransformer2DModel.forward and OvisImagePipeline, which gives it positions and
// packs latents.
#include "engines/ovis/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engines/diffusion/patches.h"
#include "engines/diffusion/timestep.h"

namespace engines::ovis {
namespace {

constexpr float kCaptionNormEps = 1e-6F;
constexpr float kFinalNormEps = 1e-6F;
constexpr double kRopeTheta = 10000;
constexpr float kTrainTimesteps = 1000;

template <class AnyArena>
SessionBuffers lay_out(AnyArena& arena, const OvisConfig& c, const TokenCounts& tokens) {
  const std::int64_t pairs = c.head_dim / 2;
  SessionBuffers b;
  b.rotation = {arena.rows(tokens.all(), pairs), arena.rows(tokens.all(), pairs)};
  b.caption_features = arena.rows(tokens.caption, c.caption_width);
  b.caption = arena.rows(tokens.caption, c.dim());
  b.x = arena.rows(tokens.all(), c.dim());
  b.tokens = arena.rows(tokens.image, c.token_width);
  b.sinusoid = arena.rows(1, kSinusoid);
  b.time_hidden = arena.rows(1, c.dim());
  b.time = arena.rows(1, c.dim());
  b.modulation = arena.rows(kModulationRows, c.dim());
  return b;
}

std::size_t kept_floats(const OvisConfig& config, const TokenCounts& tokens) {
  CountingArena arena;
  lay_out(arena, config, tokens);
  return arena.floats();
}

std::size_t scratch_floats(const OvisConfig& config, const TokenCounts& tokens) {
  CountingArena caption, last;
  caption.rows(tokens.caption, config.caption_width);
  last.rows(tokens.image, config.dim());
  return std::max({caption.floats(), last.floats(), block_scratch(config, tokens)});
}

// Angles of position / theta^(2i / width) along each axis. Unlike those of a text encoder, the reference
// takes cosine and sine of the angle in double.
void fill_row(const OvisConfig& config, const std::array<std::int64_t, 3>& position, float* cos, float* sin) {
  for (std::size_t axis = 0; axis < position.size(); ++axis) {
    const std::int64_t width = config.axes_dims[axis];
    for (std::int64_t i = 0; i < width / 2; ++i) {
      const double frequency =
          1 / std::pow(kRopeTheta, static_cast<double>(2 * i) / static_cast<double>(width));
      const double angle = static_cast<double>(position[axis]) * frequency;
      *cos++ = static_cast<float>(std::cos(angle));
      *sin++ = static_cast<float>(std::sin(angle));
    }
  }
}

// Caption token i is at (0, i, i), the image's token in row r and column c at (0, r, c).
void fill_rotation(const OvisConfig& config, const TokenCounts& tokens, std::int64_t columns,
                   const Rotation& to) {
  for (std::int64_t i = 0; i < tokens.caption; ++i)
    fill_row(config, {0, i, i}, to.cos.row(i), to.sin.row(i));
  for (std::int64_t i = 0; i < tokens.image; ++i) {
    const std::int64_t row = tokens.caption + i;
    fill_row(config, {0, i / columns, i % columns}, to.cos.row(row), to.sin.row(row));
  }
}

void silu(Rows x) {
  for (float& value : x.row_span(0))
    value /= 1.0F + std::exp(-value);
}

}  // namespace

std::int64_t image_tokens(std::int64_t h, std::int64_t w) {
  return (h / kPatch) * (w / kPatch);
}

OvisSession::OvisSession(const SessionModel& model, ConstRows caption, std::int64_t h, std::int64_t w,
                         std::shared_ptr<Arena> lent)
    : model_(model),
      tokens_{caption.rows, image_tokens(h, w)},
      kept_(kept_floats(model.config, tokens_)),
      borrows_(lent && lent->capacity_bytes() >= scratch_floats(model.config, tokens_) * sizeof(float)),
      scratch_(borrows_ ? std::move(lent) : std::make_shared<Arena>(scratch_floats(model.config, tokens_))),
      buffers_(lay_out(kept_, model.config, tokens_)) {
  fill_rotation(model.config, tokens_, w / kPatch, buffers_.rotation);
  for (std::int64_t r = 0; r < caption.rows; ++r)
    std::copy_n(caption.row(r), caption.cols, buffers_.caption_features.row(r));
}

// The whole model: embed time, caption and image, run the blocks over both together, project the image's
// tokens back to latents.
void OvisSession::forward(ConstPlanes latents, float timestep, Planes output, Run& run, const Tap& tap) {
  embed_time(timestep, tap);
  embed_caption(tap);
  embed_image(latents, tap);
  run_blocks(model_.parts.double_blocks, "double", model_.kept.double_blocks, run, tap);
  run_blocks(model_.parts.single_blocks, "single", model_.kept.single_blocks, run, tap);
  project(output, tap);
}

void OvisSession::embed_time(float timestep, const Tap& tap) {
  // Divided and multiplied again in float, as between the reference's pipeline and model.
  timestep_sinusoid(timestep / kTrainTimesteps * kTrainTimesteps, buffers_.sinusoid.row_span(0));
  model_.parts.time_in.apply(model_.kernels, buffers_.time_hidden, buffers_.sinusoid);
  silu(buffers_.time_hidden);
  model_.parts.time_out.apply(model_.kernels, buffers_.time, buffers_.time_hidden);
  if (tap) tap("timestep_embedder", buffers_.time);
  silu(buffers_.time);  // every use of it begins so
}

void OvisSession::embed_caption(const Tap& tap) {
  if (!caption_embedded_) {
    const Arena::Scope scope(*scratch_);
    const Rows normed = scratch_->rows(tokens_.caption, model_.config.caption_width);
    model_.kernels.rms_norm(normed, buffers_.caption_features, model_.parts.caption_norm.data(),
                            kCaptionNormEps);
    model_.parts.caption_in.apply(model_.kernels, buffers_.caption, normed);
    if (tap) tap("context_embedder", buffers_.caption);
    caption_embedded_ = true;
  }
  std::copy_n(buffers_.caption.data, buffers_.caption.rows * buffers_.caption.cols, buffers_.x.data);
}

void OvisSession::embed_image(ConstPlanes latents, const Tap& tap) {
  const Rows image = buffers_.x.slice_rows(tokens_.caption, tokens_.image);
  patchify(latents, buffers_.tokens, PatchOrder::channel_first);
  model_.parts.image_in.apply(model_.kernels, image, buffers_.tokens);
  if (tap) tap("x_embedder", image);
}

template <class Block>
void OvisSession::run_blocks(const std::vector<Block>& blocks, const char* name, std::size_t stay, Run& run,
                             const Tap& tap) {
  const Pass pass{model_.config,     model_.kernels, *scratch_,
                  buffers_.rotation, buffers_.time,  buffers_.modulation};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    run.check_cancelled();
    if (i + 1 < blocks.size() && i + 1 >= stay) {
      for (const WeightView* view : matrices_of(blocks[i + 1]))
        model_.weights.prefetch(*view);
    }
    run_block(pass, blocks[i], buffers_.x, tokens_);
    if (i >= stay) {
      for (const WeightView* view : matrices_of(blocks[i]))
        model_.weights.forget(*view);
    }
    if (tap) tap(fmt::format("{}{}", name, i), buffers_.x);
  }
}

// output = unpatchify(linear(layer_norm(x) * (1 + scale) + shift)), of the image's tokens; unlike in a block
// the scale comes first.
void OvisSession::project(Planes output, const Tap& tap) {
  const std::int64_t dim = model_.config.dim();
  const Rows scale = buffers_.modulation.slice_rows(0, 1);
  const Rows shift = buffers_.modulation.slice_rows(1, 1);
  model_.parts.final_modulation.apply(model_.kernels, {scale.data, 1, 2 * dim}, buffers_.time);
  for (float& s : scale.row_span(0))
    s += 1;

  const Arena::Scope scope(*scratch_);
  const Rows normed = scratch_->rows(tokens_.image, dim);
  model_.kernels.layer_norm(normed, buffers_.x.slice_rows(tokens_.caption, tokens_.image), scale.data,
                            shift.data, kFinalNormEps);
  model_.parts.final_out.apply(model_.kernels, buffers_.tokens, normed);
  if (tap) tap("proj_out", buffers_.tokens);
  unpatchify(buffers_.tokens, output, PatchOrder::channel_first);
}

std::size_t OvisSession::activation_bytes() const {
  return kept_.capacity_bytes() + (borrows_ ? 0 : scratch_->capacity_bytes());
}

Denoiser::ActivationBytes OvisSession::bytes(const OvisConfig& config, const TokenCounts& tokens) {
  return {kept_floats(config, tokens) * sizeof(float), scratch_floats(config, tokens) * sizeof(float)};
}

}  // namespace engines::ovis
