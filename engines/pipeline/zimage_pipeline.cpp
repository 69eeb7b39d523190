// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/zimage_pipeline.h"

#include "engines/pipeline/generation.h"
#include "engines/pipeline/request_check.h"
#include "engines/pipeline/zimage_parts.h"

namespace engines {
ZImagePipeline::ZImagePipeline(const std::filesystem::path& directory, Kernels& kernels,
                               const PipelineOptions& options)
    : parts_(std::make_unique<Parts>(directory, kernels, options)) {
}

ZImagePipeline::~ZImagePipeline() = default;

Picture ZImagePipeline::generate(const ImageRequest& request, Run& run, const PipelineTaps& taps) {
  check_request(request, parts_->pixels_per_token());
  return Generation(*parts_, request, run, taps).picture();
}

std::vector<std::pair<std::string, std::string>> ZImagePipeline::describe() const {
  const auto dtype = [](const auto& component, const Kernels& kernels) {
    const Dtype stored = component.weights().main_dtype();
    return std::string(name_of(stored)) + " weights, " + std::string(name_of(kernels.product_dtype(stored))) +
           " products, f32 sums";
  };
  return {{"architecture", "z-image"},
          {"dtype.encode", dtype(parts_->encoder.described(), parts_->kernels)},
          {"dtype.denoise", dtype(parts_->transformer.described(), parts_->kernels)},
          {"dtype.decode", dtype(parts_->vae, parts_->kernels.exact())}};
}

}  // namespace engines
