// SPDX-License-Identifier: Apache-2.0
// Ovis-Image's transformer as the pipeline's denoiser.
#pragma once

#include <filesystem>

#include "engines/ovis/transformer.h"
#include "engines/pipeline/latent_model.h"

namespace engines::ovis {

class OvisDenoiser final : public Denoiser {
 public:
  OvisDenoiser(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options);

  std::int64_t caption_width() const { return config().caption_width; }
  std::int64_t channels() const override { return config().latent_channels(); }
  std::int64_t patch_size() const override { return 2; }
  // The model predicts noise - image.
  float direction() const override { return 1; }
  void check_size(std::int64_t h, std::int64_t w) const override {
    transformer_.described().check_size(h, w);
  }
  std::unique_ptr<Session> begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                 const Session* lender) override;
  std::unique_ptr<Session> rehearse(ConstRows caption, std::int64_t h, std::int64_t w) const override;
  ActivationBytes activation_bytes(std::int64_t caption_rows, std::int64_t h, std::int64_t w) const override;
  ModelComponent& component() override { return transformer_; }

 private:
  const OvisConfig& config() const { return transformer_.described().config(); }

  Component<OvisTransformer> transformer_;
};

}  // namespace engines::ovis
