// SPDX-License-Identifier: Apache-2.0
// The pipeline of every architecture of latent diffusion: encode, denoise, decode.
#pragma once

#include <memory>

#include "engines/pipeline/latent_model.h"
#include "engines/pipeline/pipeline.h"

namespace engines {

class LatentDiffusion final : public ImagePipeline {
 public:
  LatentDiffusion(std::unique_ptr<LatentModel> model, const PipelineOptions& options);

  // "architecture" and "dtype.encode", "dtype.denoise", "dtype.decode".
  std::vector<std::pair<std::string, std::string>> describe() const override;
  Image generate(const ImageRequest& request, Run& run, const PipelineTaps& taps) override;
  TokenCount count_tokens(const std::string& prompt) const override;
  ImageCost cost(const ImageRequest& request, const CostProbe& probe, Run& run) override;

 private:
  std::unique_ptr<LatentModel> model_;
  PipelineOptions options_;
};

}  // namespace engines
