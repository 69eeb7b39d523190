// SPDX-License-Identifier: Apache-2.0
// One image's pass through the transformer: its buffers, and the forward pass from top to bottom.
#pragma once

#include <memory>

#include "engines/ovis/blocks.h"
#include "engines/pipeline/latent_model.h"
#include "engines/text/qwen3_encoder.h"

namespace engines::ovis {

// Blocks whose weights stay resident; the others are given back after use.
struct KeptBlocks {
  std::size_t double_blocks = SIZE_MAX, single_blocks = SIZE_MAX;
};

// What sessions borrow from their transformer.
struct SessionModel {
  const OvisConfig& config;
  const OvisWeights& parts;
  const WeightSet& weights;
  const KeptBlocks& kept;
  Kernels& kernels;
};

// What lives from step to step, in the session's own arena.
struct SessionBuffers {
  Rotation rotation;                 // [caption | image]
  Rows caption_features;             // [caption, caption_width]
  Rows caption;                      // [caption, dim], embedded
  Rows x;                            // [caption | image, dim]
  Rows tokens;                       // [image, token_width]: patches in, patches out
  Rows sinusoid, time_hidden, time;  // [1, 256], [1, dim], [1, dim]
  Rows modulation;                   // [kModulationRows, dim]
};

class OvisSession final : public Denoiser::Session {
 public:
  // caption: [rows, caption_width], copied; h and w: of the latents. Takes `scratch` where it is large
  // enough, else makes its own.
  OvisSession(const SessionModel& model, ConstRows caption, std::int64_t h, std::int64_t w,
              std::shared_ptr<Arena> scratch);

  void forward(ConstPlanes latents, float timestep, Planes output, Run& run) override {
    forward(latents, timestep, output, run, {});
  }
  // The first call also embeds the caption, which does not depend on the timestep; a cancelled call may be
  // repeated. Taps: timestep_embedder [1, dim], context_embedder [caption, dim] (first call only), x_embedder
  // [image, dim], double<i> and single<i> [caption | image, dim], proj_out [image, token_width].
  void forward(ConstPlanes latents, float timestep, Planes output, Run& run, const Tap& tap);
  std::size_t activation_bytes() const override;

  const std::shared_ptr<Arena>& scratch() const { return scratch_; }
  static Denoiser::ActivationBytes bytes(const OvisConfig& config, const TokenCounts& tokens);

 private:
  void embed_time(float timestep, const Tap& tap);
  void embed_caption(const Tap& tap);
  void embed_image(ConstPlanes latents, const Tap& tap);
  template <class Block>
  void run_blocks(const std::vector<Block>& blocks, const char* name, std::size_t stay, Run& run,
                  const Tap& tap);
  void project(Planes output, const Tap& tap);

  const SessionModel model_;
  const TokenCounts tokens_;
  Arena kept_;
  const bool borrows_;
  const std::shared_ptr<Arena> scratch_;
  const SessionBuffers buffers_;
  bool caption_embedded_ = false;
};

// Image tokens of latents of that size.
std::int64_t image_tokens(std::int64_t h, std::int64_t w);

}  // namespace engines::ovis
