// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/zimage_pipeline.h"

#include <cmath>
#include <sstream>

#include "engines/pipeline/generation.h"
#include "engines/pipeline/zimage_parts.h"

namespace engines {
namespace {

constexpr std::int64_t kSmallestSize = 16;
constexpr std::int64_t kLargestSize = 2048;
constexpr std::int64_t kMostSteps = 1000;

void check_size(const char* field, std::int64_t pixels, std::int64_t multiple) {
  const std::string where = std::string(field) + ": " + std::to_string(pixels);
  if (pixels < kSmallestSize || pixels > kLargestSize) {
    throw Error(RH_INVALID_DIMENSION, where + " is out of range, expected " + std::to_string(kSmallestSize) +
                                          " to " + std::to_string(kLargestSize));
  }
  if (pixels % multiple != 0)
    throw Error(RH_INVALID_DIMENSION, where + " is not a multiple of " + std::to_string(multiple));
}

void check_not_negative(const char* field, double value) {
  if (std::isfinite(value) && value >= 0) return;
  std::ostringstream message;
  message << field << ": " << value << " is out of range, expected 0 or more";
  throw Error(RH_INVALID_ARGUMENT, message.str());
}

void check_request(const ImageRequest& request, std::int64_t size_multiple) {
  check_size("width", request.width, size_multiple);
  check_size("height", request.height, size_multiple);
  if (request.steps < 1 || request.steps > kMostSteps) {
    throw Error(RH_INVALID_ARGUMENT, "steps: " + std::to_string(request.steps) +
                                         " is out of range, expected 1 to " + std::to_string(kMostSteps));
  }
  check_not_negative("guidance", request.guidance);
  check_not_negative("cfg_normalization", request.cfg_normalization);
  check_not_negative("cfg_truncation", request.cfg_truncation);
}

}  // namespace

ZImagePipeline::ZImagePipeline(const std::filesystem::path& directory, Kernels& kernels)
    : parts_(std::make_unique<Parts>(directory, kernels)) {
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
          {"dtype.encode", dtype(parts_->encoder, parts_->kernels)},
          {"dtype.denoise", dtype(parts_->transformer, parts_->kernels)},
          {"dtype.decode", dtype(parts_->vae, parts_->kernels.exact())}};
}

}  // namespace engines
