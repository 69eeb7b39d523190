// SPDX-License-Identifier: Apache-2.0
// A small image of where latents are heading, by the model's own decoder.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/vae/autoencoder_kl.h"

namespace engines {

// What a flow-matching model predicts for the end, x0 = x - sigma * v, averaged over squares of latents so
// that a decode is cheap next to a step: at most 32 latents a side, and half the image's where that has
// more than 16. One thread.
class Preview {
 public:
  static constexpr std::int64_t kMostLatents = 32;

  // `vae` must outlive it; latents of [channels, height, width].
  Preview(const AutoencoderKL& vae, std::int64_t channels, std::int64_t height, std::int64_t width);

  // Of latents x before a step and the velocity v that the model predicts for them.
  void take(ConstPlanes x, std::span<const float> v, float sigma);
  // Decodes what was taken last and hands it to the run; `budget` as AutoencoderKL::decode has it. Throws
  // PIPELINE_ERROR for values that are not finite, CANCELLED.
  void show(Run& run, std::size_t budget) const;

  // What showing takes beyond weights, for the least budget.
  std::size_t least_bytes() const;
  // At its peak, after the last show.
  std::size_t activation_bytes() const;

 private:
  std::size_t own_bytes() const;

  const AutoencoderKL& vae_;
  std::int64_t side_;                       // of the squares
  std::int64_t channels_, height_, width_;  // of the averages
  FloatBuffer means_;
};

}  // namespace engines
