// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/latent_diffusion.h"

#include "engines/pipeline/generation.h"
#include "engines/pipeline/rehearsal.h"
#include "engines/pipeline/request_check.h"

namespace engines {

LatentDiffusion::LatentDiffusion(std::unique_ptr<LatentModel> model, const PipelineOptions& options)
    : model_(std::move(model)), options_(options) {
}

Image LatentDiffusion::generate(const ImageRequest& request, Run& run, const PipelineTaps& taps) {
  check_request(request, model_->pixels_per_token());
  return Generation(*model_, request, run, taps).image();
}

TokenCount LatentDiffusion::count_tokens(const std::string& prompt) const {
  return {model_->encoder->count_tokens(prompt), model_->encoder->tokenize(prompt).size()};
}

ImageCost LatentDiffusion::cost(const ImageRequest& request, const CostProbe& probe, Run& run) {
  check_request(request, model_->pixels_per_token());
  return Rehearsal(*model_, options_, request, probe, run).cost();
}

std::vector<std::pair<std::string, std::string>> LatentDiffusion::describe() const {
  const auto dtype = [](Dtype stored, const Kernels& kernels) {
    return std::string(name_of(stored)) + " weights, " + std::string(name_of(kernels.product_dtype(stored))) +
           " products, f32 sums";
  };
  const Kernels& kernels = model_->kernels;
  return {{"architecture", model_->architecture},
          {"dtype.encode", dtype(model_->encoder->component().main_dtype(), kernels)},
          {"dtype.denoise", dtype(model_->denoiser->component().main_dtype(), kernels)},
          {"dtype.decode", dtype(model_->vae.weights().main_dtype(), model_->kernels.exact())}};
}

}  // namespace engines
