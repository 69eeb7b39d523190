// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/preview.h"

#include <algorithm>

#include "engines/pipeline/values.h"

namespace engines {
namespace {

constexpr std::int64_t kSmall = 16;  // latents a side that are not averaged
constexpr std::int64_t kColours = 3;

std::int64_t side_of_squares(std::int64_t height, std::int64_t width) {
  const std::int64_t longer = std::max(height, width);
  if (longer <= kSmall) return 1;
  return std::max<std::int64_t>(2, (longer + Preview::kMostLatents - 1) / Preview::kMostLatents);
}

}  // namespace

// Squares at the right and lower edge may be cut.
Preview::Preview(const AutoencoderKL& vae, std::int64_t channels, std::int64_t height, std::int64_t width)
    : vae_(vae),
      side_(side_of_squares(height, width)),
      channels_(channels),
      height_((height + side_ - 1) / side_),
      width_((width + side_ - 1) / side_),
      means_(static_cast<std::size_t>(channels_ * height_ * width_)) {
}

void Preview::take(ConstPlanes x, std::span<const float> v, float sigma) {
  float* mean = means_.data();
  for (std::int64_t channel = 0; channel < channels_; ++channel) {
    const float* plane = x.plane(channel);
    const float* velocity = v.data() + channel * x.height * x.width;
    for (std::int64_t row = 0; row < height_; ++row) {
      for (std::int64_t column = 0; column < width_; ++column) {
        const std::int64_t bottom = std::min((row + 1) * side_, x.height);
        const std::int64_t right = std::min((column + 1) * side_, x.width);
        double sum = 0;
        for (std::int64_t i = row * side_; i < bottom; ++i) {
          for (std::int64_t j = column * side_; j < right; ++j)
            sum += plane[i * x.width + j] - sigma * velocity[i * x.width + j];
        }
        const std::int64_t count = (bottom - row * side_) * (right - column * side_);
        *mean++ = static_cast<float>(sum / static_cast<double>(count));
      }
    }
  }
}

void Preview::show(Run& run, std::size_t budget) const {
  const std::int64_t height = height_ * vae_.config().scale();
  const std::int64_t width = width_ * vae_.config().scale();
  const auto pixels = static_cast<std::size_t>(height * width);
  const FloatBuffer planes(kColours * pixels);
  vae_.decode({means_.data(), channels_, height_, width_}, {planes.data(), kColours, height, width}, run, {},
              budget);
  require_finite({planes.data(), planes.size()}, "denoise", "the preview");
  run.preview(width, height, interleaved({planes.data(), planes.size()}));
}

std::size_t Preview::own_bytes() const {
  const std::int64_t scale = vae_.config().scale();
  return sizeof(float) * static_cast<std::size_t>(channels_ * height_ * width_ +
                                                  2 * kColours * height_ * width_ * scale * scale);
}

std::size_t Preview::least_bytes() const {
  const std::int64_t scale = vae_.config().scale();
  return decode_bytes(vae_.config(), height_ * scale, width_ * scale, 0) + own_bytes();
}

std::size_t Preview::activation_bytes() const {
  return vae_.activation_bytes() + own_bytes();
}

}  // namespace engines
