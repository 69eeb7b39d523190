// SPDX-License-Identifier: Apache-2.0
// The latents of an image to begin with, and what keeps the parts of it that are not drawn anew.
#pragma once

#include <span>

#include "engines/pipeline/pipeline.h"
#include "engines/sampling/random.h"
#include "engines/vae/autoencoder_kl.h"

namespace engines {

class InitLatents {
 public:
  // Encodes the image, whose latents are h by w, and draws from `generator` as diffusers' pipelines do: first
  // the sample of the encoder's distribution, then the noise (`noise` instead, where it is given). Throws
  // CANCELLED between blocks.
  InitLatents(const AutoencoderKL& vae, const ImageRequest& request, std::int64_t h, std::int64_t w,
              TorchGenerator& generator, const float* noise, Run& run);

  // x = sigma noise + (1 - sigma) latents: where denoising begins.
  void begin(float sigma, std::span<float> x) const;
  // The same at the latents outside of the mask alone: x as it would be there had nothing been drawn. Nothing
  // without a mask.
  void restore(float sigma, std::span<float> x) const;

  ConstPlanes latents() const { return {latents_.data(), channels_, height_, width_}; }
  ConstPlanes noise() const { return {noise_.data(), channels_, height_, width_}; }
  std::size_t activation_bytes() const { return activation_bytes_; }

 private:
  void read_mask(const InitImage& init, std::int64_t image_width, std::int64_t scale);

  std::int64_t channels_, height_, width_;
  FloatBuffer latents_, noise_;
  std::vector<bool> drawn_;  // of the latents of one channel: drawn anew; empty without a mask
  std::size_t activation_bytes_ = 0;
};

}  // namespace engines
