// SPDX-License-Identifier: Apache-2.0
// Z-Image's transformer as the pipeline's denoiser.
#pragma once

#include <filesystem>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/pipeline/latent_model.h"

namespace engines::zimage {

class ZImageDenoiser final : public Denoiser {
 public:
  ZImageDenoiser(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options)
      : transformer_(directory / "transformer", kernels, options.of_denoiser(), options.threads) {}

  std::int64_t caption_width() const { return config().cap_feat_dim; }
  std::int64_t channels() const override { return config().in_channels; }
  std::int64_t patch_size() const override { return config().patch_size; }
  // The model predicts image - noise.
  float direction() const override { return -1; }
  void check_size(std::int64_t h, std::int64_t w) const override {
    transformer_.described().check_size(h, w);
  }
  std::unique_ptr<Session> begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                 const Session* lender) override;
  std::unique_ptr<Session> rehearse(ConstRows caption, std::int64_t h, std::int64_t w) const override;
  ActivationBytes activation_bytes(std::int64_t caption_rows, std::int64_t h, std::int64_t w) const override;
  ModelComponent& component() override { return transformer_; }

 private:
  const ZImageTransformerConfig& config() const { return transformer_.described().config(); }

  Component<ZImageTransformer> transformer_;
};

}  // namespace engines::zimage
