// SPDX-License-Identifier: Apache-2.0
// One image's pass through the transformer: its buffers and its blocks.
#pragma once

#include <string>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/diffusion/zimage_weights.h"

namespace engines {

// Numbers of tokens; image and caption are padded to multiples of 32, each by itself.
struct TokenCounts {
  std::int64_t image, image_padded, caption, caption_padded;
  std::int64_t total() const { return image_padded + caption_padded; }
};

struct ZImageRotation {
  Rows cos, sin;  // [tokens, head_dim / 2]
  ZImageRotation slice(std::int64_t first, std::int64_t count) const {
    return {cos.slice_rows(first, count), sin.slice_rows(first, count)};
  }
};

// Fills the angles of [image tokens | caption tokens]: caption token i, pad tokens too, is at (1 + i, 0, 0);
// image token (r, c) at (caption_padded + 1, r, c); image pad tokens at (0, 0, 0).
void fill_rotation(const ZImageTransformerConfig& config, const TokenCounts& tokens, std::int64_t columns,
                   const ZImageRotation& rotation);

// What lives from step to step, in the session's own arena.
struct SessionBuffers {
  ZImageRotation rotation;                        // [image | caption]
  Rows caption_features;                          // [caption_padded, cap_feat_dim], the last row repeated
  Rows caption;                                   // [caption_padded, dim], refined
  Rows x;                                         // [image_padded | caption_padded, dim]
  Rows tokens;                                    // [image_padded, 4 * in_channels]: patches in, patches out
  Rows sinusoid, time_hidden, adaln, adaln_silu;  // [1, 256], [1, 1024], [1, adaln], [1, adaln]
  Rows modulation;   // [4, dim]: the norms of one block, scales and gates folded in
  Rows final_scale;  // [1, dim]
};

// The weights of a block's four norms, [dim] each, as they are or with its modulation folded in.
struct BlockNorms {
  const float *attention_in, *attention_out, *ffn_in, *ffn_out;
};

struct ArenaFloats {
  std::size_t kept;     // from step to step
  std::size_t scratch;  // within one
};
ArenaFloats arena_floats(const ZImageTransformerConfig& config, const TokenCounts& tokens);

// What sessions borrow from their transformer.
struct ZImageTransformer::Session::Model {
  const ZImageTransformerConfig& config;
  const Parts& parts;
  const WeightSet& weights;
  const std::size_t& kept;  // layers that stay resident
  Kernels& kernels;
};

struct ZImageTransformer::Session::State {
  // Takes `scratch` where it is large enough, else makes its own.
  State(const Model& model, ConstRows caption, std::int64_t h, std::int64_t w, const TokenCounts& tokens,
        std::shared_ptr<Arena> scratch);

  void forward(ConstPlanes latents, double t, Planes velocity, Run& run, const Tap& tap);

  void embed_time(double t, const Tap& tap);
  void refine_caption(Run& run, const Tap& tap);
  void embed_image(ConstPlanes latents, const Tap& tap);
  void project(Planes velocity, const Tap& tap);
  void run_blocks(const std::vector<ZImageBlock>& blocks, const std::string& name, Rows x,
                  const ZImageRotation& rotation, Run& run, const Tap& tap);
  BlockNorms norms_of(const ZImageBlock& block);
  void attention(const ZImageBlock& block, const BlockNorms& norms, Rows x, const ZImageRotation& rotation,
                 const std::string& name, const Tap& tap);
  void feed_forward(const ZImageBlock& block, const BlockNorms& norms, Rows x, const std::string& name,
                    const Tap& tap);

  void give_back(const ZImageBlock& block) const;
  void announce(const ZImageBlock& block) const;
  std::size_t activation_bytes() const;

  const Model model;
  const ZImageTransformerConfig& config;
  const Parts& parts;
  Kernels& kernels;
  const TokenCounts tokens;
  const std::int64_t height, width;  // of the latents
  Arena kept;
  const bool borrows;
  const std::shared_ptr<Arena> scratch;
  const SessionBuffers buffers;
  bool caption_refined = false;
};

}  // namespace engines
