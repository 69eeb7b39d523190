// SPDX-License-Identifier: Apache-2.0
#include "engines/ovis/architecture.h"

#include "engines/ovis/denoiser.h"
#include "engines/ovis/prompt_encoder.h"
#include "engines/pipeline/latent_diffusion.h"
#include "engines/pipeline/shared_components.h"

namespace engines::ovis {
namespace {

std::unique_ptr<ImagePipeline> open(const std::filesystem::path& directory, Kernels& kernels,
                                    const PipelineOptions& options) {
  auto encoder = std::make_unique<OvisPromptEncoder>(directory, kernels, options);
  auto denoiser = std::make_unique<OvisDenoiser>(directory, kernels, options);
  require_equal("transformer/config.json: joint_attention_dim", denoiser->caption_width(),
                "hidden_size of text_encoder/config.json", encoder->width());
  return std::make_unique<LatentDiffusion>(
      std::make_unique<LatentModel>("ovis-image", directory, kernels, options, std::move(encoder),
                                    std::move(denoiser)),
      options);
}

}  // namespace

Architecture architecture() {
  return {"OvisImagePipeline",
          {flow_match_scheduler(), qwen2_tokenizer(), qwen3_text_encoder(), transformer_of(kTransformer),
           autoencoder_kl()},
          {kTransformer, WeightKind::denoiser, "", nullptr, {"transformer_blocks."}},
          &open,
          {&open_scheduler, &open_part<OvisPromptEncoder>, &open_part<OvisDenoiser>, &open_vae}};
}

}  // namespace engines::ovis
