// SPDX-License-Identifier: Apache-2.0
// After diffusers' ZImageImg2ImgPipeline and ZImageInpaintPipeline.
#include "engines/pipeline/init_latents.h"

#include <algorithm>

namespace engines {
namespace {

constexpr std::uint8_t kDrawn = 128;  // of a mask's byte, half of white

// Pixels of 0 to 1, interleaved, as three planes of -1 to 1.
void to_planes(std::span<const float> rgb, std::span<float> planes) {
  const std::size_t pixels = rgb.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      planes[c * pixels + i] = 2 * rgb[3 * i + c] - 1;
  }
}

}  // namespace

InitLatents::InitLatents(const AutoencoderKL& vae, const ImageRequest& request, std::int64_t h,
                         std::int64_t w, TorchGenerator& generator, const float* noise, Run& run)
    : channels_(vae.config().latent_channels),
      height_(h),
      width_(w),
      latents_(static_cast<std::size_t>(channels_ * h * w)),
      noise_(latents_.size()) {
  const InitImage& init = *request.init;
  const FloatBuffer planes(init.rgb.size());
  to_planes(init.rgb, {planes.data(), planes.size()});
  const FloatBuffer moments(2 * latents_.size());
  const Planes moment_planes{moments.data(), 2 * channels_, h, w};
  vae.encode({planes.data(), 3, request.height, request.width}, moment_planes, run);
  activation_bytes_ = vae.activation_bytes();
  generator.randn({noise_.data(), noise_.size()});
  vae.sample(moment_planes, noise_.data(), {latents_.data(), channels_, h, w});
  if (noise != nullptr) {
    std::copy_n(noise, noise_.size(), noise_.data());
  } else {
    generator.randn({noise_.data(), noise_.size()});
  }
  if (!init.mask.empty()) read_mask(init, request.width, vae.config().scale());
}

// Nearest, as torch's interpolate: the first pixel of those that a latent stands for.
void InitLatents::read_mask(const InitImage& init, std::int64_t image_width, std::int64_t scale) {
  for (std::int64_t y = 0; y < height_; ++y) {
    for (std::int64_t x = 0; x < width_; ++x)
      drawn_.push_back(init.mask[static_cast<std::size_t>(y * scale * image_width + x * scale)] >= kDrawn);
  }
}

void InitLatents::begin(float sigma, std::span<float> x) const {
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = sigma * noise_.data()[i] + (1 - sigma) * latents_.data()[i];
}

void InitLatents::restore(float sigma, std::span<float> x) const {
  if (drawn_.empty()) return;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!drawn_[i % drawn_.size()]) x[i] = sigma * noise_.data()[i] + (1 - sigma) * latents_.data()[i];
  }
}

}  // namespace engines
