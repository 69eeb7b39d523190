// SPDX-License-Identifier: Apache-2.0
#include "engines/zimage/architecture.h"

#include "engines/diffusion/zimage_names.h"
#include "engines/pipeline/latent_diffusion.h"
#include "engines/pipeline/shared_components.h"
#include "engines/zimage/denoiser.h"
#include "engines/zimage/prompt_encoder.h"

namespace engines::zimage {
namespace {

constexpr std::string_view kTransformer = "ZImageTransformer2DModel";

std::unique_ptr<ImagePipeline> open(const std::filesystem::path& directory, Kernels& kernels,
                                    const PipelineOptions& options) {
  auto encoder = std::make_unique<ZImagePromptEncoder>(directory, kernels, options);
  auto denoiser = std::make_unique<ZImageDenoiser>(directory, kernels, options);
  require_equal("transformer/config.json: cap_feat_dim", denoiser->caption_width(),
                "hidden_size of text_encoder/config.json", encoder->width());
  return std::make_unique<LatentDiffusion>(
      std::make_unique<LatentModel>("z-image", directory, kernels, options, std::move(encoder),
                                    std::move(denoiser)),
      options);
}

}  // namespace

Architecture architecture() {
  return {"ZImagePipeline",
          {flow_match_scheduler(), qwen2_tokenizer(), qwen3_text_encoder(), transformer_of(kTransformer),
           autoencoder_kl()},
          {kTransformer, WeightKind::denoiser, "lumina2", &zimage_names, {"layers.", "_refiner."}},
          &open,
          {&open_scheduler, &open_part<ZImagePromptEncoder>, &open_part<ZImageDenoiser>, &open_vae}};
}

}  // namespace engines::zimage
